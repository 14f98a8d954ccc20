/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tap.h"

static char ca_file[] = "/tmp/led-mqtt-test.XXXXXX", key_file[] = "/tmp/led-mqtt-test.XXXXXX";
static int listening, theirs; /* theirs: the broker's end of the connection */
static struct transport_options options;
static struct transport transport;
static char why[TRANSPORT_WHY_MAX];

/* --- a broker --------------------------------------------------------------------------- */

/* Listens on a port that the kernel picks, and makes it the broker's. */
static void listen_anywhere(const char *host)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
	const struct timeval patience = {.tv_sec = 10};
	socklen_t size = sizeof address;

	listening = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listening, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	CHECK(bind(listening, (struct sockaddr *)&address, size) == 0);
	CHECK(listen(listening, 10) == 0);
	getsockname(listening, (struct sockaddr *)&address, &size);
	options = (struct transport_options){.address = {.port = ntohs(address.sin_port)}};
	strcpy(options.address.host, host);
}

/* Connects, and accepts. */
static bool connect_plain(void)
{
	bool is_open;

	listen_anywhere("127.0.0.1");
	is_open = transport_open(&transport, &options, why);
	theirs = is_open ? accept(listening, NULL, NULL) : -1;
	close(listening);
	return is_open;
}

/* Reads for 5 s at the most. */
static ssize_t read_some(void *bytes, size_t n, const char **reason)
{
	ssize_t r = 0;

	*reason = NULL;
	for (int i = 0; i < 500 && r == 0; i++) {
		r = transport_read(&transport, bytes, n, reason);
		if (r == 0)
			usleep(10000);
	}
	return r;
}

/* --- TCP -------------------------------------------------------------------------------- */

TEST("bytes pass both ways, and nothing blocks")
{
	const char *reason = NULL;
	char bytes[10] = "";

	CHECK(connect_plain());
	CHECK(transport_read(&transport, bytes, sizeof bytes, &reason) == 0 && !reason);
	CHECK(transport_unread(&transport) == 0);
	CHECK(write(theirs, "hello", 5) == 5);
	CHECK(read_some(bytes, 2, &reason) == 2);
	CHECK_TEXT(bytes, "he");
	CHECK(transport_unread(&transport) == 3);
	CHECK(read_some(bytes, sizeof bytes, &reason) == 3);
	CHECK(transport_write(&transport, "back", 4, &reason) == 4);
	CHECK(read(theirs, bytes, sizeof bytes) == 4);
	CHECK(memcmp(bytes, "back", 4) == 0);
	transport_close(&transport);
	CHECK(transport.fd == -1);
	CHECK(read(theirs, bytes, 1) == 0);
	close(theirs);
	transport_close(&transport);
}

TEST("without room, nothing is written, and that is no end")
{
	static char bytes[1 << 20];
	const char *reason = NULL;
	ssize_t n = 0;

	CHECK(connect_plain());
	for (int i = 0; i < 1000; i++)
		n = transport_write(&transport, bytes, sizeof bytes, &reason);
	CHECK(n == 0 && !reason);
	transport_close(&transport);
	close(theirs);
}

TEST("the broker's end is an end with a reason")
{
	const char *reason;
	char byte;

	CHECK(connect_plain());
	close(theirs);
	CHECK(read_some(&byte, 1, &reason) == -1);
	CHECK_TEXT(reason, "the broker has closed the connection");
	transport_close(&transport);
	/* With something unread, it is a reset. */
	CHECK(connect_plain());
	CHECK(transport_write(&transport, "x", 1, &reason) == 1);
	usleep(10000);
	close(theirs);
	CHECK(read_some(&byte, 1, &reason) == -1);
	CHECK_TEXT(reason, "Connection reset by peer");
	CHECK(transport_write(&transport, "x", 1, &reason) == -1);
	transport_close(&transport);
}

TEST("why it cannot be reached")
{
	listen_anywhere("127.0.0.1");
	close(listening);
	CHECK(!transport_open(&transport, &options, why));
	CHECK_TEXT(why, "Connection refused");
	CHECK(transport.fd == -1);
	strcpy(options.address.host, "name.invalid");
	CHECK(!transport_open(&transport, &options, why));
	CHECK(*why && strcmp(why, "Connection refused") != 0);
}

TEST("of a name's addresses, one that is refused does not keep the next from being tried")
{
	/* ::1 comes first where there is IPv6, and nobody listens there. */
	listen_anywhere("localhost");
	CHECK(transport_open(&transport, &options, why));
	transport_close(&transport);
	close(listening);
}

/* --- TLS -------------------------------------------------------------------------------- */

static EVP_PKEY *key;
static X509 *certificate;

static void write_pem(char *path, bool is_key)
{
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	if (is_key)
		PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	else
		PEM_write_X509(file, certificate);
	fclose(file);
}

/* Makes a certificate for 127.0.0.1 and for broker.example, signed by itself. */
static void make_certificate(void)
{
	char names[] = "IP:127.0.0.1,DNS:broker.example";
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);

	key = EVP_EC_gen("P-256");
	certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
		(const unsigned char *)"broker", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	X509_sign(certificate, key, EVP_sha256());
	write_pem(ca_file, false);
	write_pem(key_file, true);
}

/* How a broker behaves. */
struct manner {
	bool is_silent;         /* it closes the connection at once */
	bool asks;              /* for a certificate of the client */
	bool had_a_certificate; /* set: of the client */
};

/* A broker that says hello, and sends back what it reads. */
static void *serve_tls(void *argument)
{
	struct manner *manner = argument;
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int fd = accept(listening, NULL, NULL);
	SSL *ssl = SSL_new(context);
	char bytes[100];
	int n;

	SSL_use_certificate(ssl, certificate);
	SSL_use_PrivateKey(ssl, key);
	if (manner->asks) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
		SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	}
	SSL_set_fd(ssl, fd);
	if (!manner->is_silent && SSL_accept(ssl) == 1) {
		X509 *peer = SSL_get1_peer_certificate(ssl);

		manner->had_a_certificate = peer;
		X509_free(peer);
		SSL_write(ssl, "hello", 5);
		while ((n = SSL_read(ssl, bytes, sizeof bytes)) > 0)
			SSL_write(ssl, bytes, n);
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
	return NULL;
}

/* Connects with TLS to such a broker. Returns "", or why that failed. */
static const char *talk_tls(const char *host, const char *ca, struct manner *manner)
{
	const char *reason;
	char bytes[10] = "";
	pthread_t thread;

	listen_anywhere("127.0.0.1");
	pthread_create(&thread, NULL, serve_tls, manner);
	options.address.tls = true;
	options.ca_file = ca;
	if (manner->asks) {
		options.cert = ca_file;
		options.key = key_file;
	}
	strcpy(options.address.host, host);
	*why = '\0';
	if (transport_open(&transport, &options, why)) {
		CHECK(read_some(bytes, 1, &reason) == 1);
		CHECK(transport_unread(&transport) == 4);
		CHECK(read_some(bytes + 1, 9, &reason) == 4);
		CHECK_TEXT(bytes, "hello");
		CHECK(transport_write(&transport, "back", 4, &reason) == 4);
		CHECK(read_some(bytes, 10, &reason) == 4);
		CHECK(memcmp(bytes, "back", 4) == 0);
		CHECK(transport_read(&transport, bytes, 1, &reason) == 0);
	}
	transport_close(&transport);
	pthread_join(thread, NULL);
	close(listening);
	return why;
}

TEST("TLS: bytes pass both ways, and those that the library has count as unread")
{
	struct manner manner = {0};

	CHECK_TEXT(talk_tls("127.0.0.1", ca_file, &manner), "");
	CHECK(!manner.had_a_certificate);
}

TEST("TLS: a broker that nobody vouches for, or that has another name, is refused")
{
	struct manner manner = {0};

	CHECK(strstr(talk_tls("127.0.0.1", NULL, &manner), "self"));
	CHECK(strstr(talk_tls("127.0.0.2", ca_file, &manner), "IP address mismatch"));
	CHECK(strstr(talk_tls("localhost", ca_file, &manner), "ostname mismatch"));
}

TEST("TLS: a broker that closes the connection, or has no TLS")
{
	struct manner manner = {.is_silent = true};

	CHECK(strncmp(talk_tls("127.0.0.1", ca_file, &manner), "TLS: ", 5) == 0);
}

TEST("TLS: the certificate of this machine is sent")
{
	struct manner manner = {.asks = true};

	CHECK_TEXT(talk_tls("127.0.0.1", ca_file, &manner), "");
	CHECK(manner.had_a_certificate);
}

TEST("TLS: files that are no certificate and no key are named")
{
	listen_anywhere("127.0.0.1");
	options.address.tls = true;
	options.ca_file = "/proc/self/comm";
	CHECK(!transport_open(&transport, &options, why));
	CHECK(strncmp(why, "/proc/self/comm: ", 17) == 0);
	options.ca_file = options.cert = ca_file;
	options.key = ca_file;
	CHECK(!transport_open(&transport, &options, why));
	CHECK(strncmp(why, ca_file, strlen(ca_file)) == 0);
	close(listening);
}

int main(void)
{
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as broker.c does, for OpenSSL */
	make_certificate();
	failed = tap_run();
	unlink(ca_file);
	unlink(key_file);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return failed;
}
