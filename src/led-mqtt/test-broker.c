/* SPDX-License-Identifier: MIT */
#include "broker.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "tap.h"

/* --- the other end: a broker that says what a test wants ---------------------------------- */

static sd_event *event;
static int listening = -1, connection = -1;
static unsigned char in[4096], taken[4096]; /* what has come, and the packet that was taken */
static size_t length;

static void start_listening(struct broker_address *address)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof any;

	listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(bind(listening, (struct sockaddr *)&any, size) == 0 && listen(listening, 10) == 0);
	getsockname(listening, (struct sockaddr *)&any, &size);
	address->port = ntohs(any.sin_port);
	strcpy(address->host, "127.0.0.1");
}

static void hang_up(void)
{
	if (connection >= 0)
		close(connection);
	connection = -1;
	length = 0;
}

/* Takes the next packet, which is at least so long as its second byte says. Returns whether there
 * is one. */
static bool take_packet(void)
{
	size_t n = 2 + (size_t)(length > 1 ? in[1] : 0);

	if (length < 2 || length < n)
		return false;
	memcpy(taken, in, n);
	memmove(in, in + n, length -= n);
	return true;
}

static void turn(void)
{
	ssize_t n;

	sd_event_run(event, 2000);
	if (connection < 0)
		connection = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
	n = connection < 0 ? -1 : recv(connection, in + length, sizeof in - length, 0);
	if (n > 0)
		length += (size_t)n;
}

/* Waits for a packet. Returns its first byte, or 0 after 5 s. */
static unsigned next(void)
{
	uint64_t until = clock_usec() + 5000000;

	while (!take_packet() && clock_usec() < until)
		turn();
	return clock_usec() < until ? *taken : 0;
}

static void run_for(uint64_t usec)
{
	uint64_t until = clock_usec() + usec;

	while (clock_usec() < until)
		turn();
}

/* SAY(bytes...): sends them */
#define SAY(...)                                                                                   \
	do {                                                                                       \
		static const unsigned char BYTES[] = {__VA_ARGS__};                                \
		CHECK(send(connection, BYTES, sizeof BYTES, MSG_NOSIGNAL) == sizeof BYTES);        \
	} while (0)

#define CONNECT 0x10
#define PUBLISH 0x32
#define SUBSCRIBE 0x82
#define DISCONNECT 0xe0

/* Whether these bytes are in the packet that was taken. */
static bool has(const char *bytes, size_t n)
{
	return memmem(taken, 2 + (size_t)taken[1], bytes, n);
}

/* --- what comes of it --------------------------------------------------------------------- */

static struct broker *broker;
static struct broker_options options;
static unsigned ups, downs, messages;
static char message[100], outcomes[100];

static void on_up(void *userdata)
{
	ups++;
}

static void on_message(
	void *userdata, const char *topic, const void *payload, size_t n, bool is_retained)
{
	messages++;
	snprintf(message, sizeof message, "%s%s %.*s", topic, is_retained ? " retained" : "",
		(int)n, n > 0 ? (const char *)payload : "");
}

static void on_acknowledged(void *userdata, int id, enum broker_outcome outcome, const char *why)
{
	static const char *const WORDS[] = {"taken", "unwanted", "refused"};
	size_t n = strlen(outcomes);

	snprintf(outcomes + n, sizeof outcomes - n, "%d %s;", id, WORDS[outcome]);
}

static void on_down(void *userdata)
{
	downs++;
}

static void begin(void)
{
	static const struct broker_events EVENTS = {on_up, on_message, on_acknowledged, on_down};

	options = (struct broker_options){.id = "led-mqtt/led/pi",
		.user = "lamp",
		.password = "secret",
		.will_topic = "led/pi/availability",
		.will = "offline"};
	start_listening(&options.transport.address);
	ups = downs = messages = 0;
	*message = *outcomes = '\0';
	broker = broker_create(event, &options, &EVENTS, NULL);
}

static void end(void)
{
	broker_destroy(broker);
	hang_up();
	close(listening);
}

/* Begins, and accepts the connection in MQTT 5. */
static void begin_up(void)
{
	begin();
	CHECK(next() == CONNECT);
	SAY(0x20, 3, 0, 0, 0);
	run_for(20000);
	CHECK(ups == 1 && broker_is_up(broker));
}

TEST("CONNECT has the settings, and the connection is there with the CONNACK")
{
	char text[60];

	begin();
	CHECK(next() == CONNECT);
	/* A user, a password, a will that is retained, with QoS 1, a clean start; 30 s */
	CHECK(has("\0\4MQTT\5\xee\0\36", 10));
	CHECK(has("\0\17led-mqtt/led/pi", 17));
	CHECK(has("\0\4lamp\0\6secret", 14));
	CHECK(has("\0\23led/pi/availability\0\7offline", 30));
	CHECK(ups == 0 && !broker_is_up(broker));
	CHECK(broker_publish(broker, "t", "x", false, NULL));
	SAY(0x20, 3, 0, 0, 0);
	run_for(20000);
	CHECK(ups == 1 && downs == 0 && broker_is_up(broker));
	snprintf(text, sizeof text, "mqtt://127.0.0.1:%d: connected",
		options.transport.address.port);
	CHECK_TEXT(broker_text(broker), text);
	broker_disconnect(broker);
	CHECK(next() == DISCONNECT);
	CHECK(!broker_is_up(broker));
	end();
}

TEST("what is published is acknowledged, unwanted or refused")
{
	int ids[3] = {0};

	begin_up();
	for (int i = 0; i < 3; i++) {
		CHECK(!broker_publish(broker, "led/pi/x", "ON", i == 0, &ids[i]));
		CHECK(next() == (i == 0 ? PUBLISH | 1 : PUBLISH));
		CHECK(has("\0\10led/pi/x", 10) && has("ON", 2));
	}
	CHECK(ids[0] == 1 && ids[1] == 2 && ids[2] == 3);
	SAY(0x40, 2, 0, 2, 0x40, 3, 0, 1, 16, 0x40, 3, 0, 3, 135);
	run_for(20000);
	CHECK_TEXT(outcomes, "2 taken;1 unwanted;3 refused;");
	/* Nothing of that is an end. */
	CHECK(broker_is_up(broker) && downs == 0);
	end();
}

TEST("a subscription asks for what it needs")
{
	begin_up();
	broker_subscribe(broker, "a/+", BROKER_COMMANDS);
	CHECK(next() == SUBSCRIBE && has("\0\3a/+\x21", 6)); /* none that were retained */
	broker_subscribe(broker, "b", BROKER_RETAINED);
	CHECK(next() == SUBSCRIBE && has("\0\1b\5", 4)); /* none of our own */
	broker_subscribe(broker, "c", BROKER_EVERYTHING);
	CHECK(next() == SUBSCRIBE && has("\0\1c\1", 4));
	SAY(0x90, 4, 0, 1, 0, 1);
	run_for(20000);
	CHECK(broker_is_up(broker));
	end();
}

TEST("messages come one by one, and none while reading is paused")
{
	begin_up();
	SAY(0x31, 6, 0, 1, 'a', 0, 'O', 'N');
	run_for(20000);
	CHECK_TEXT(message, "a retained ON");
	SAY(0x30, 4, 0, 1, 'b', 0);
	run_for(20000);
	CHECK_TEXT(message, "b ");
	broker_pause(broker, true);
	run_for(20000);
	SAY(0x30, 4, 0, 1, 'c', 0, 0x30, 4, 0, 1, 'd', 0);
	run_for(100000);
	CHECK(messages == 2);
	broker_pause(broker, false);
	run_for(20000);
	CHECK(messages == 4);
	CHECK_TEXT(message, "d ");
	CHECK(broker_arrival_ms(broker) > 0);
	end();
}

TEST("half a packet waits for its other half")
{
	begin_up();
	SAY(0x30, 6, 0, 1);
	run_for(20000);
	CHECK(messages == 0);
	SAY('a', 0, 'O', 'N');
	run_for(20000);
	CHECK_TEXT(message, "a ON");
	end();
}

TEST("what the library would not survive does not reach it")
{
	begin_up();
	SAY(0xf0, 0, 0x30, 6, 0);
	run_for(50000);
	CHECK(downs == 1 && !broker_is_up(broker));
	CHECK(strstr(broker_text(broker), "the broker has sent a broken packet; trying again"));
	/* What came after it is forgotten, too. */
	hang_up();
	CHECK(next() == CONNECT);
	SAY(0x20, 3, 0, 0, 0);
	run_for(50000);
	CHECK(ups == 2);
	end();
	begin();
	CHECK(next() == CONNECT);
	SAY(0x20, 5, 0, 0, 2, 0x7f, 1); /* no such property */
	run_for(50000);
	CHECK(ups == 0 && downs == 1);
	end();
}

TEST("after an end, a new connection is made, and nothing of the old one is left")
{
	int id;

	begin_up();
	CHECK(!broker_publish(broker, "t", "x", false, &id));
	CHECK(next() == PUBLISH);
	SAY(0x30, 6, 0, 1); /* half a packet */
	run_for(20000);
	hang_up();
	run_for(50000);
	CHECK(downs == 1 && !broker_is_up(broker));
	CHECK(strstr(broker_text(broker), "the broker has closed the connection; trying again"));
	CHECK(next() == CONNECT && has("MQTT\5", 5));
	SAY(0x20, 3, 0, 0, 0);
	run_for(50000);
	CHECK(ups == 2 && broker_is_up(broker));
	CHECK(!take_packet());
	CHECK_TEXT(outcomes, "");
	end();
}

TEST("a broker that does not know MQTT 5 is asked in MQTT 3.1.1: at once, if it says so")
{
	begin();
	CHECK(next() == CONNECT && has("MQTT\5", 5));
	SAY(0x20, 2, 0, 1);
	hang_up();
	CHECK(next() == CONNECT && has("MQTT\4", 5));
	CHECK(downs == 0);
	SAY(0x20, 2, 0, 0);
	run_for(50000);
	CHECK(ups == 1);
	end();
	/* Without an answer, after a pause */
	begin();
	CHECK(next() == CONNECT && has("MQTT\5", 5));
	hang_up();
	CHECK(next() == CONNECT && has("MQTT\4", 5));
	CHECK(downs == 1);
	end();
}

TEST("a refusal is said with its reason, and waits")
{
	begin();
	CHECK(next() == CONNECT);
	SAY(0x20, 3, 0, 135, 0);
	run_for(100000);
	CHECK(downs == 1 && ups == 0);
	CHECK(strstr(broker_text(broker), ": Not authorized; trying again"));
	hang_up();
	CHECK(next() == CONNECT && has("MQTT\5", 5));
	end();
}

TEST("a broker that says why it ends the connection")
{
	begin_up();
	SAY(0xe0, 2, 0x8d, 0);
	run_for(50000);
	CHECK(downs == 1);
	CHECK(strcasestr(broker_text(broker), "keep alive timeout; trying again"));
	end();
}

TEST("nobody there; and it can be ended while it connects")
{
	begin();
	broker_destroy(broker);
	begin();
	close(listening);
	end();
}

int main(void)
{
	int failed;

	if (sd_event_new(&event) < 0)
		return 1;
	failed = tap_run();
	sd_event_unref(event);
	return failed;
}
