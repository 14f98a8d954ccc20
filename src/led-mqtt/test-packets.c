/* SPDX-License-Identifier: MIT */
#include "packets.h"

#include <stdlib.h>

#include "tap.h"

static struct packets p;

/* Takes a whole packet in pieces of a size. */
static enum packets_verdict take(bool is_v5, const char *bytes, size_t n, size_t step)
{
	enum packets_verdict verdict = PACKETS_MORE;
	size_t taken, i = 0;

	p.is_v5 = is_v5;
	p.length = p.wanted = 0;
	while (i < n && verdict == PACKETS_MORE) {
		verdict = packets_take(
			&p, (const unsigned char *)bytes + i, n - i < step ? n - i : step, &taken);
		i += taken;
	}
	if (verdict == PACKETS_COMPLETE)
		CHECK(i == n && p.length == n && memcmp(p.bytes, bytes, n) == 0);
	return verdict;
}

/* The verdict, whatever the pieces are. */
static enum packets_verdict verdict_of(bool is_v5, const char *bytes, size_t n)
{
	enum packets_verdict verdict = take(is_v5, bytes, n, n);

	for (size_t step = 1; step < n; step++)
		CHECK(take(is_v5, bytes, n, step) == verdict);
	return verdict;
}

#define V5(bytes) verdict_of(true, bytes, sizeof bytes - 1)
#define V311(bytes) verdict_of(false, bytes, sizeof bytes - 1)

TEST("what a broker sends in MQTT 5")
{
	CHECK(V5("\x20\3\0\0\0") == PACKETS_COMPLETE);
	CHECK(V5("\x20\6\0\0\3\x13\0\x0a") == PACKETS_COMPLETE);
	CHECK(V5("\x30\7\0\1tx\0ON") == PACKETS_BROKEN);
	CHECK(V5("\x30\6\0\1t\0ON") == PACKETS_COMPLETE);
	CHECK(V5("\x32\x08\0\1t\0\1\0ON") == PACKETS_COMPLETE);
	CHECK(V5("\x3b\6\0\1t\0\1\0") == PACKETS_COMPLETE);
	CHECK(V5("\x40\2\0\1") == PACKETS_COMPLETE);
	CHECK(V5("\x40\3\0\1\x10") == PACKETS_COMPLETE);
	CHECK(V5("\x40\4\0\1\x10\0") == PACKETS_COMPLETE);
	CHECK(V5("\x90\4\0\1\0\1") == PACKETS_COMPLETE);
	CHECK(V5("\xb0\4\0\1\0\0") == PACKETS_COMPLETE);
	CHECK(V5("\xd0\0") == PACKETS_COMPLETE);
	CHECK(V5("\xe0\0") == PACKETS_COMPLETE);
	CHECK(V5("\xe0\1\x8d") == PACKETS_COMPLETE);
	CHECK(V5("\xe0\6\x8d\4\x1f\0\1x") == PACKETS_COMPLETE);
}

TEST("what a broker sends in MQTT 3.1.1")
{
	CHECK(V311("\x20\2\0\0") == PACKETS_COMPLETE);
	CHECK(V311("\x30\5\0\1tON") == PACKETS_COMPLETE);
	CHECK(V311("\x32\7\0\1t\0\1ON") == PACKETS_COMPLETE);
	CHECK(V311("\x40\2\0\1") == PACKETS_COMPLETE);
	CHECK(V311("\x90\3\0\1\1") == PACKETS_COMPLETE);
	CHECK(V311("\xd0\0") == PACKETS_COMPLETE);
	CHECK(V311("\x20\3\0\0\0") == PACKETS_BROKEN);
	CHECK(V311("\x40\3\0\1\x10") == PACKETS_BROKEN);
	CHECK(V311("\xe0\0") == PACKETS_BROKEN);
}

TEST("an answer in MQTT 3.1.1 to a question in MQTT 5")
{
	CHECK(V5("\x20\2\0\1") == PACKETS_OLD && p.bytes[3] == 1);
	CHECK(V5("\x20\2\0\5") == PACKETS_OLD && p.bytes[3] == 5);
}

TEST("every property: those that MQTT 5 has, with what belongs to them, and no other")
{
	static const unsigned char SIZES[128] = {[1] = 1,
		[23] = 1,
		[25] = 1,
		[36] = 1,
		[37] = 1,
		[40] = 1,
		[41] = 1,
		[42] = 1,
		[19] = 2,
		[33] = 2,
		[34] = 2,
		[35] = 2,
		[2] = 4,
		[17] = 4,
		[24] = 4,
		[39] = 4,
		[11] = 1,
		[38] = 6,
		[3] = 3,
		[8] = 3,
		[9] = 3,
		[18] = 3,
		[21] = 3,
		[22] = 3,
		[26] = 3,
		[28] = 3,
		[31] = 3};

	for (unsigned id = 0; id < 128; id++)
		for (unsigned size = 0; size < 8; size++) {
			char bytes[20] = {0x20, (char)(4 + size), 0, 0, (char)(1 + size), (char)id};

			/* One text of one byte, or two; a number of one byte. */
			if (SIZES[id] == 3 || SIZES[id] == 6)
				bytes[7] = 1;
			if (SIZES[id] == 6)
				bytes[10] = 1;
			CHECK(verdict_of(true, bytes, 6 + size) ==
				(SIZES[id] && size == SIZES[id] ? PACKETS_COMPLETE
								: PACKETS_BROKEN));
		}
	/* More than one, in each packet that may have them. */
	CHECK(V5("\x20\x0a\0\0\7\x25\1\x24\1\x13\0\1") == PACKETS_COMPLETE);
	CHECK(V5("\x20\x0a\0\0\7\x25\1\x24\1\x7f\0\1") == PACKETS_BROKEN);
	CHECK(V5("\x30\x08\0\1t\2\1\1ON") == PACKETS_COMPLETE);
	CHECK(V5("\x30\x08\0\1t\2\5\1ON") == PACKETS_BROKEN);
	CHECK(V5("\x40\6\0\1\0\2\5\1") == PACKETS_BROKEN);
	CHECK(V5("\x90\6\0\1\2\5\1\0") == PACKETS_BROKEN);
	CHECK(V5("\xe0\4\0\2\5\1") == PACKETS_BROKEN);
	/* A subscription identifier of two bytes, and of more than four. */
	CHECK(V5("\x30\x07\0\1t\3\x0b\x80\1") == PACKETS_COMPLETE);
	CHECK(V5("\x30\x0a\0\1t\6\x0b\xff\xff\xff\xff\1") == PACKETS_BROKEN);
}

TEST("lengths that do not fit")
{
	CHECK(V5("\x20\1\0") == PACKETS_BROKEN && V5("\x20\0") == PACKETS_BROKEN);
	CHECK(V5("\x20\3\0\0\1") == PACKETS_BROKEN);
	CHECK(V5("\x20\5\0\0\0\0\0") == PACKETS_BROKEN);
	CHECK(V5("\x30\1\0") == PACKETS_BROKEN && V5("\x30\3\0\2t") == PACKETS_BROKEN);
	CHECK(V5("\x30\3\0\1t") == PACKETS_BROKEN);
	CHECK(V5("\x32\4\0\1t\0") == PACKETS_BROKEN);
	CHECK(V5("\x40\1\0") == PACKETS_BROKEN && V5("\x90\2\0\1") == PACKETS_BROKEN);
	CHECK(V5("\xd0\1\0") == PACKETS_BROKEN);
	CHECK(V5("\xe0\4\0\0\0\0") == PACKETS_BROKEN);
	CHECK(V5("\x30\xff\xff\xff\xff") == PACKETS_BROKEN);
	CHECK(V5("\x30\xff\xff\xff\xff\x01") == PACKETS_BROKEN);
}

TEST("kinds that a broker must not send, and flags that are not to be")
{
	for (unsigned first = 0; first < 256; first++) {
		char bytes[8] = {(char)first, 6, 0, 1, 't', 0, 0, 0};
		unsigned type = first >> 4, flags = first & 15;

		if (type == 3)
			CHECK((verdict_of(true, bytes, 8) == PACKETS_COMPLETE) == !(flags & 4));
		else if (type != 2 && type != 4 && type != 9 && type != 11 && type != 13 &&
			 type != 14)
			CHECK(verdict_of(true, bytes, 8) == PACKETS_BROKEN);
		else if (flags)
			CHECK(verdict_of(true, bytes, 8) == PACKETS_BROKEN);
	}
}

TEST("the largest packet, and one that is larger")
{
	static const struct {
		const char *header;
		enum packets_verdict verdict;
	} CASES[] = {{"\x30\xfc\xff\3", PACKETS_COMPLETE}, {"\x30\xfd\xff\3", PACKETS_BROKEN}};

	for (int i = 0; i < 2; i++) {
		char *bytes = calloc(1, PACKETS_MAX + 1);

		memcpy(bytes, CASES[i].header, 4);
		bytes[5] = 1;
		CHECK(take(true, bytes, PACKETS_MAX + (size_t)i, 1000) == CASES[i].verdict);
		free(bytes);
	}
}

TEST("one after the other, and only as far as a packet goes")
{
	static const unsigned char TWO[] = "\xd0\0\x40\2\0\1\xd0";
	size_t taken;

	p = (struct packets){.is_v5 = true};
	CHECK(packets_take(&p, TWO, 7, &taken) == PACKETS_COMPLETE && taken == 2);
	CHECK(packets_take(&p, TWO + 2, 5, &taken) == PACKETS_COMPLETE && taken == 4);
	CHECK(p.length == 4 && p.bytes[0] == 0x40);
	CHECK(packets_take(&p, TWO + 6, 1, &taken) == PACKETS_MORE && taken == 1);
	CHECK(packets_take(&p, TWO, 0, &taken) == PACKETS_MORE && taken == 0);
	CHECK(packets_take(&p, TWO + 1, 1, &taken) == PACKETS_COMPLETE && p.length == 2);
}

TAP_MAIN
