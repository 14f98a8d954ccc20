/* SPDX-License-Identifier: MIT */
#include "request.h"
#include "tap.h"

static struct judgement j;
static struct request_rules rules;
static struct request_head head;

/* A request that is all right, for the test to change. */
static void begin(const char *method, const char *path)
{
	rules = (struct request_rules){.allowed = true, .hosts = ""};
	head = (struct request_head){
		.method = method, .path = path, .version = "HTTP/1.1", .host = {"pi:5557", 1}};
}

static enum request_kind judge(void)
{
	request_judge(&head, &rules, &j);
	return j.kind;
}

/* Returns the status of a refusal, or 0. */
static unsigned refused(void)
{
	return judge() == REQUEST_REFUSED ? j.status : 0;
}

static enum request_kind ask(const char *method, const char *path)
{
	begin(method, path);
	return judge();
}

TEST("what there is")
{
	CHECK(ask("GET", "/") == REQUEST_PAGE && ask("HEAD", "/") == REQUEST_PAGE);
	CHECK(ask("GET", "/icon.png") == REQUEST_ICON);
	CHECK(ask("GET", "/leds") == REQUEST_LIST);
	CHECK(ask("GET", "/events") == REQUEST_EVENTS && !j.closes);
	CHECK(ask("HEAD", "/events") == REQUEST_EVENTS && j.closes);
	CHECK(ask("HEAD", "/leds") == REQUEST_LIST && !j.closes);
	CHECK(ask("GET", "/leds/kitchen") == REQUEST_STATE);
	CHECK_TEXT(j.name, "kitchen");
	CHECK(ask("POST", "/leds/Garden-Pump") == REQUEST_COMMAND && !j.all && !j.closes);
	CHECK_TEXT(j.name, "garden-pump");
	CHECK(ask("POST", "/leds/all") == REQUEST_COMMAND && j.all);
}

TEST("what there is not")
{
	static const char *const PATHS[] = {"", "/favicon.ico", "/index.html", "//", "/leds/",
		"/leds/on", "/leds/kitchen/", "/leds/kitchen/x", "/leds/seventeen-letters",
		"/leds/1", "/leds/a b", "/leds/%6bitchen", "/events/", "/../etc/passwd", "http:/",
		"http://pi//", "http://pi/http://pi/", "ftp://pi/"};

	for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
		begin("GET", PATHS[i]);
		if (refused() != 404)
			CHECK_TEXT(PATHS[i], "404");
	}
	begin("POST", "/leds/1");
	CHECK(refused() == 404);
	CHECK_TEXT(j.text, "ERR no LED has such a name");
}

TEST("a host before the path counts in place of the Host header")
{
	char path[400];

	CHECK(ask("GET", "http://localhost/leds/kitchen") == REQUEST_STATE);
	CHECK_TEXT(j.name, "kitchen");
	CHECK(ask("GET", "http://pi") == REQUEST_PAGE && ask("GET", "HTTP://pi:/") == REQUEST_PAGE);
	CHECK(ask("GET", "https://[::1]:5557/leds") == REQUEST_LIST);
	begin("GET", "http://evil.example/");
	CHECK(refused() == 421 && strstr(j.text, "WEB_HOSTS=evil.example"));
	begin("GET", "http://pi/");
	head.host.value = "evil.example";
	CHECK(judge() == REQUEST_PAGE);
	head.host.n = 2;
	CHECK(refused() == 400);
	head.host.n = 0;
	CHECK(refused() == 400);
	begin("GET", "http://anna@pi/");
	CHECK(refused() == 421);
	begin("GET", "http:///");
	CHECK(refused() == 421);
	/* A name that is too long is not cut off, and so another one. */
	for (size_t length = 250; length < sizeof path - 9; length++) {
		strcpy(path, "http://");
		memset(path + 7, 'a', length);
		strcpy(path + 7 + length, "/");
		begin("GET", path);
		CHECK(refused() == (length <= SITE_HOST_MAX ? 0 : 421));
	}
	begin("POST", "http://localhost/leds/kitchen");
	head.origin = (struct header){"http://pi:5557", 1};
	CHECK(refused() == 403);
	head.origin.value = "http://localhost";
	CHECK(judge() == REQUEST_COMMAND);
}

TEST("other methods, with those that there are")
{
	begin("POST", "/");
	CHECK(refused() == 405);
	CHECK_TEXT(j.allow, "GET, HEAD");
	begin("DELETE", "/leds/kitchen");
	CHECK(refused() == 405);
	CHECK_TEXT(j.allow, "GET, HEAD, POST");
	begin("GET", "/leds/all");
	CHECK(refused() == 405);
	CHECK_TEXT(j.allow, "POST");
	begin("OPTIONS", "/leds");
	CHECK(refused() == 405);
	begin("get", "/");
	CHECK(refused() == 405);
	begin("GET", "/");
	CHECK(judge() == REQUEST_PAGE && !j.allow);
}

TEST("doubled headers, and bodies without a clear end: 400, and the connection ends")
{
	begin("POST", "/leds/kitchen");
	head.host.n = 2;
	CHECK(refused() == 400 && j.closes);
	begin("POST", "/leds/kitchen");
	head.host = (struct header){NULL, 0};
	CHECK(refused() == 400 && j.closes);
	head.version = "HTTP/1.0";
	CHECK(judge() == REQUEST_COMMAND);
	begin("POST", "/leds/kitchen");
	head.content_length = (struct header){"2", 2};
	CHECK(refused() == 400 && j.closes);
	begin("POST", "/leds/kitchen");
	head.content_length = (struct header){"2", 1};
	head.transfer_encoding = (struct header){"chunked", 1};
	CHECK(refused() == 400 && j.closes);
	head.content_length = (struct header){NULL, 0};
	CHECK(judge() == REQUEST_COMMAND);
	head.transfer_encoding = (struct header){"Chunked", 1};
	CHECK(judge() == REQUEST_COMMAND);
	head.transfer_encoding = (struct header){"gzip, chunked", 1};
	CHECK(refused() == 400 && j.closes);
	head.transfer_encoding = (struct header){"chunked", 2};
	CHECK(refused() == 400 && j.closes);
	head.transfer_encoding = (struct header){"chunked", 1};
	head.version = "HTTP/1.0";
	CHECK(refused() == 400 && j.closes);
	begin("GET", "/");
	head.version = "HTTP/2.0";
	CHECK(refused() == 400 && j.closes);
}

TEST("a header that is called as none may be: 400, and the connection ends")
{
	static const char *const NAMES[] = {"Content-Length ", "Content-Length\t", "Host ", "X Y",
		"", "Content-Length2", "content-length2", "Transfer-Encodingchunked",
		"Originhttp://pi", "XContent-Length: 2", "X\r", "\xe4"};

	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		if (request_is_header(NAMES[i]))
			CHECK_TEXT(NAMES[i], "no header");
	CHECK(request_is_header("Host") && request_is_header("Content-Length"));
	CHECK(request_is_header("transfer-encoding") && request_is_header("X-Forwarded-For"));
	CHECK(request_is_header("Content-Length-Limit") && request_is_header("A1!#$%&'*+-.^_`|~"));
	begin("POST", "/leds/kitchen");
	head.is_unclear = true;
	CHECK(refused() == 400 && j.closes);
	CHECK_TEXT(j.text, "ERR the name of a header is not clear");
}

TEST("lengths of a body")
{
	static const struct {
		const char *length;
		unsigned status;
	} LENGTHS[] = {
		{"0", 0},
		{"2", 0},
		{"64", 0},
		{"0064", 0},
		{"65", 413},
		{"1000000000", 413},
		{"99999999999999999999999999999999", 413},
		{"", 400},
		{"-1", 400},
		{"+2", 400},
		{"2x", 400},
		{"0x2", 400},
		{"2, 2", 400},
		{" 2", 400},
	};

	for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
		begin("POST", "/leds/kitchen");
		head.content_length = (struct header){LENGTHS[i].length, 1};
		if (refused() != LENGTHS[i].status)
			CHECK_TEXT(LENGTHS[i].length, "another status");
		CHECK(LENGTHS[i].status == 0 || j.closes);
	}
	begin("GET", "/");
	head.content_length = (struct header){"0", 1};
	CHECK(judge() == REQUEST_PAGE);
	head.content_length = (struct header){"1", 1};
	CHECK(refused() == 400 && j.closes);
}

TEST("strangers, and a wrong setting")
{
	begin("GET", "/");
	rules.allowed = false;
	rules.refusal = "a setting is wrong: x";
	CHECK(refused() == 403 && j.is_logged && j.closes);
	CHECK_TEXT(j.text, "ERR not allowed from this address");
	rules.allowed = true;
	CHECK(refused() == 503 && !j.is_logged);
	CHECK_TEXT(j.text, "ERR a setting is wrong: x");
}

TEST("other names: 421, with the line that makes them ours")
{
	char name[SITE_HOST_MAX + 1];

	begin("GET", "/");
	head.host.value = "evil.example:5557";
	CHECK(refused() == 421 && j.is_logged);
	CHECK(strstr(j.text, "WEB_HOSTS=evil.example") && !strstr(j.text, ":5557"));
	rules.hosts = "evil.example";
	CHECK(judge() == REQUEST_PAGE);
	head.host.value = "<b>.example";
	CHECK(refused() == 421 && !strstr(j.text, "<b>"));
	/* Where the port is wrong, the name is not what is missing. */
	head.host.value = "pi:99999";
	CHECK(refused() == 421);
	CHECK_TEXT(j.text, "ERR the Host header has no name of this machine");
	/* The dot of a complete name has no use there. */
	head.host.value = "evil.example.org.:5557";
	CHECK(refused() == 421 && strstr(j.text, "WEB_HOSTS=evil.example.org"));
	CHECK(j.text[strlen(j.text) - 1] == 'g');
	/* A long name is there in full. */
	memset(name, 'x', sizeof name);
	strcpy(name + sizeof name - sizeof ".example", ".example");
	head.host.value = name;
	CHECK(refused() == 421 && strstr(j.text, name));
	CHECK(strcmp(j.text + strlen(j.text) - strlen(name), name) == 0);
	begin("GET", "/");
	head.version = "HTTP/1.0";
	head.host = (struct header){NULL, 0};
	CHECK(judge() == REQUEST_PAGE);
}

TEST("a password")
{
	begin("GET", "/favicon.ico");
	rules.password = "anna:secret";
	CHECK(refused() == 401 && j.asks_password && !j.is_logged);
	head.authorization = (struct header){"Basic YW5uYTpzZWNyZXU=", 1};
	CHECK(refused() == 401 && j.asks_password && j.is_logged);
	head.authorization = (struct header){"Basic YW5uYTpzZWNyZXQ=", 1};
	CHECK(refused() == 404 && !j.asks_password);
	head.authorization.n = 2;
	CHECK(refused() == 401);
}

TEST("other sites' pages may look, and command nothing")
{
	begin("GET", "/");
	head.fetch_site = (struct header){"cross-site", 1};
	head.origin = (struct header){"http://evil.example", 1};
	CHECK(judge() == REQUEST_PAGE);
	head.method = "POST";
	head.path = "/leds/kitchen";
	CHECK(refused() == 403 && j.is_logged);
	head.fetch_site.value = "same-origin";
	CHECK(judge() == REQUEST_COMMAND);
	head.fetch_site.n = 2;
	CHECK(refused() == 403);
	head.fetch_site = (struct header){NULL, 0};
	CHECK(refused() == 403);
	head.origin.value = "http://pi:5557";
	CHECK(judge() == REQUEST_COMMAND);
	head.origin.n = 2;
	CHECK(refused() == 403);
}

TEST("every refusal of a request with a body ends the connection")
{
	begin("POST", "/nothing");
	head.content_length = (struct header){"2", 1};
	CHECK(refused() == 404 && j.closes);
	head.path = "/";
	CHECK(refused() == 405 && j.closes);
	head.path = "/leds/kitchen";
	head.origin = (struct header){"null", 1};
	CHECK(refused() == 403 && j.closes);
	rules.password = "anna:secret";
	CHECK(refused() == 401 && j.closes);
	head.content_length.value = "0";
	CHECK(refused() == 401 && !j.closes);
}

int main(void)
{
	return tap_run();
}
