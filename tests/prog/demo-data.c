/*
 * demo-data -- the demo's departments, filled with people and firms that do not
 * exist: SQL on standard output, for the tables of tests/demo/sql/.
 *
 *	demo-data [--seed N] registry | population | land | tax-state |
 *	    tax-local | cast
 *
 * One world seen by five departments: enterprise 7 of the register is taxpayer
 * 7 of the bureau, and person 12 owns a share of it.  Nothing is stored between
 * runs: each entity is computed from the seed and its number, so departments
 * agree without talking.  `cast` prints, as shell variables, the entities that
 * the demo and the documents ask for: what they are holds for every seed.
 *
 * Codes have valid check digits in the region 999999, which no real person or
 * office can have (but for three citizen numbers of 1900 from test lists), and
 * names are made of the ten heavenly stems, so that nobody is meant.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/own.h"
#include "schemas/codes.h"

#define PERSONS     6000
#define ENTERPRISES 3000
#define CASES       2000
#define INVOICES    5000

static uint64_t seed = 20260108;

/* ---- chance: a number for (what, which, draw), nothing kept ---- */

enum what { PERSON = 1, ENTERPRISE, CASE, INVOICE, REPORT };

/* splitmix64 (Steele, Lea, Flood). */
static uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static unsigned
chance(enum what what, unsigned which, unsigned draw, unsigned below)
{
	uint64_t x = mix(
	    seed + mix(((uint64_t)what << 48) + ((uint64_t)which << 8) + draw));

	return (unsigned)(x % below);
}

/* ---- days ---- */

struct day {
	unsigned y, m, d;
};

/* Days after 1900-01-01 (proleptic Gregorian; H. Hinnant's algorithm). */
static struct day
day_of(unsigned after_1900)
{
	unsigned z = after_1900 + 693901; /* from 0000-03-01 */
	unsigned era = z / 146097, doe = z % 146097;
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	struct day day;

	day.d = doy - (153 * mp + 2) / 5 + 1;
	day.m = mp < 10 ? mp + 3 : mp - 9;
	day.y = yoe + era * 400 + (day.m <= 2);
	return day;
}

#define Y2000 36524 /* days from 1900-01-01 */
#define Y2024 45290

static const char *
day_text(char out[static 16], unsigned after_1900, const char *form)
{
	struct day day = day_of(after_1900);

	const char *sign = strcmp(form, "") == 0 ? "" : form;

	(void)snprintf(out, 16, "%04u%.1s%02u%.1s%02u", day.y % 10000, sign,
	    day.m % 100, sign, day.d % 100);
	return out;
}

/* ---- people ---- */

struct person {
	char id[19];
	char name[64];
	char birth[16]; /* YYYYMMDD */
	bool female;
	char state; /* 0 present, 1 dead, 2 cancelled */
};

static const char *const stems[] = {
    "甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"};
static const char *const given[] = {"文", "清", "和", "远", "宁", "书", "言",
    "一", "舟", "禾", "山", "川", "石", "林", "青", "白", "安", "平", "春",
    "秋", "晓", "明", "初", "若"};
/* GB 18030 characters that systems of one or two bytes lose. */
static const char *const rare[] = {"㛃", "䶮", "𠮷", "𬱖", "𫍯", "㼆"};

static void
name_person(unsigned i, char out[static 64])
{
	const char *stem = stems[chance(PERSON, i, 1, HT_COUNT(stems))];
	const char *a = given[chance(PERSON, i, 2, HT_COUNT(given))];
	const char *b = given[chance(PERSON, i, 3, HT_COUNT(given))];
	unsigned form = chance(PERSON, i, 4, 100);

	if (form < 2)
		(void)snprintf(out, 64, "%s%s", stem,
		    rare[chance(PERSON, i, 5, HT_COUNT(rare))]);
	else if (form < 4)
		(void)snprintf(out, 64, "%s%s%s·%s%s", a, b, stem, b, a);
	else if (form < 30)
		(void)snprintf(out, 64, "%s%s", stem, a);
	else
		(void)snprintf(out, 64, "%s%s%s", stem, a, b);
}

static struct person
person(unsigned i)
{
	static const struct person known[] = {
	    {"110101190001010030", "测试甲",    "19000101", false, '0'},
	    {"11010119000101009X", "测试乙",    "19000101", false, '0'},
	    {"110101190001010022", "测试经办", "19000101", true,  '0'},
	};
	unsigned days = (unsigned)((i * 7919 + seed) % 24000), end;
	struct person p = {.state = '0'};

	if (i < HT_COUNT(known))
		return known[i];
	/* 7919 is prime to 24000: no two have the same birthday. */
	(void)day_text(p.birth, 14610 + days, "");
	(void)snprintf(p.id, sizeof(p.id), "999999%.8s%03u", p.birth,
	    chance(PERSON, i, 6, 999) + 1);
	p.female = (p.id[16] - '0') % 2 == 0;
	p.id[17] = ht_citizen_id_check(p.id);
	name_person(i, p.name);
	end = chance(PERSON, i, 7, 100);
	p.state = i == 3 ? '1' : end < 2 ? '1' : end < 3 ? '2' : '0';
	return p;
}

/* ---- enterprises ---- */

struct enterprise {
	char code[19];
	char name[128];
	char region[7];
	char state; /* K open, D revoked, X cancelled, Q moved */
	bool sole;  /* a sole trader */
	bool changed;
	unsigned head;              /* a person */
	unsigned since;             /* days */
	unsigned long long capital; /* yuan */
};

static const char *const regions[] = {
    "999901", "999902", "999903", "999904", "999905", "999801", "999802"};
static const char *const trades[] = {"科技", "商贸", "建筑", "物流", "餐饮",
    "制造", "咨询", "农业", "文化", "能源"};

static void
code_enterprise(unsigned i, bool sole, char out[static 19])
{
	(void)snprintf(out, 19, "%s999999%08u", sole ? "92" : "91", i + 1);
	out[16] = ht_org_code_check(out + 8);
	out[17] = ht_uscc_check(out);
	out[18] = '\0';
}

static char
state_enterprise(unsigned i)
{
	unsigned n = chance(ENTERPRISE, i, 3, 100);

	/* The first are fixed: the demo asks for them. */
	if (i < 10)
		return i == 3 ? 'X' : i == 4 ? 'D' : 'K';
	return n < 90 ? 'K' : n < 94 ? 'D' : n < 99 ? 'X' : 'Q';
}

static struct enterprise
enterprise(unsigned i)
{
	struct enterprise e = {.state = state_enterprise(i),
	    .sole = i >= 10 && chance(ENTERPRISE, i, 1, 100) < 15,
	    .head = i < 3 ? i : chance(ENTERPRISE, i, 2, PERSONS),
	    .since = Y2000 + chance(ENTERPRISE, i, 4, 8700)};
	unsigned place = i < 5 ? 0 : chance(ENTERPRISE, i, 5, 20);

	code_enterprise(i, e.sole, e.code);
	/* One in five lies outside the area that grants name. */
	if (i != 5)
		place = place < 16 ? place % 5 : 5 + place % 2;
	else
		place = 5;
	(void)snprintf(e.region, sizeof(e.region), "%s", regions[place]);
	e.changed =
	    e.state == 'K' && i >= 10 && chance(ENTERPRISE, i, 6, 100) < 20;
	e.capital =
	    (unsigned long long)(chance(ENTERPRISE, i, 7, 500) + 1) * 100000;
	if (i == 0)
		(void)snprintf(
		    e.name, sizeof(e.name), "%s", "测试用合成企业甲有限公司");
	else
		(void)snprintf(e.name, sizeof(e.name), "示范市%s%s%s%s",
		    given[chance(ENTERPRISE, i, 8, HT_COUNT(given))],
		    given[chance(ENTERPRISE, i, 9, HT_COUNT(given))],
		    trades[chance(ENTERPRISE, i, 10, HT_COUNT(trades))],
		    e.sole ? "店" : "有限公司");
	return e;
}

/* ---- SQL ---- */

/* Values by letter: s text (NULL if NULL), u unsigned, U unsigned long long. */
static void
row(const char *table, const char *types, ...)
{
	va_list ap;
	const char *text;

	(void)printf("INSERT INTO %s VALUES(", table);
	va_start(ap, types);
	for (const char *t = types; *t != '\0'; t++) {
		if (t > types)
			(void)putchar(',');
		switch (*t) {
		case 'u':
			(void)printf("%u", va_arg(ap, unsigned));
			break;
		case 'U':
			(void)printf("%llu", va_arg(ap, unsigned long long));
			break;
		default:
			text = va_arg(ap, const char *);
			/* No text of ours has a quote in it. */
			if (text == NULL)
				(void)fputs("NULL", stdout);
			else
				(void)printf("'%s'", text);
		}
	}
	va_end(ap);
	(void)puts(");");
}

/* ---- market regulation ---- */

static void
investors(unsigned i, const struct enterprise *e)
{
	unsigned n = 1 + chance(ENTERPRISE, i, 20, 3), left = 10000;

	for (unsigned k = 0; k < n; k++) {
		unsigned rate =
		    k + 1 == n ? left
		               : 1 + chance(ENTERPRISE, i, 21 + k, left / 2);
		struct person p = person(
		    k == 0 ? e->head : chance(ENTERPRISE, i, 30 + k, PERSONS));

		left -= rate;
		row("ENT_INV", "usssUu", i + 1, p.name, "10", p.id,
		    e->capital / 10000 * rate, rate);
	}
}

static const char *
last_business(const struct enterprise *e)
{
	switch (e->state) {
	case 'D':
		return "04";
	case 'X':
		return "03";
	case 'Q':
		return "06";
	default:
		return e->changed ? "02" : "01";
	}
}

static const char *
why_ended(const struct enterprise *e)
{
	return e->state == 'X'   ? "决议解散"
	       : e->state == 'D' ? "逾期未年报"
	                         : NULL;
}

static void
register_one(unsigned i)
{
	struct enterprise e = enterprise(i);
	struct person head = person(e.head);
	bool quiet = e.state == 'K' && !e.changed;
	bool limited = chance(ENTERPRISE, i, 11, 10) < 3;
	char since[16], until[16], on[16], regno[20], where[128], industry[8],
	    organ[16], capital[24], state[2] = {e.state, '\0'};

	(void)snprintf(regno, sizeof(regno), "999999%09u", i + 1);
	(void)snprintf(capital, sizeof(capital), "%llu", e.capital);
	(void)snprintf(where, sizeof(where), "示范市%s区%s路%u号",
	    stems[chance(ENTERPRISE, i, 12, HT_COUNT(stems))],
	    given[chance(ENTERPRISE, i, 13, HT_COUNT(given))],
	    chance(ENTERPRISE, i, 14, 300) + 1);
	(void)snprintf(industry, sizeof(industry), "%c%04u",
	    'A' + (int)chance(ENTERPRISE, i, 15, 20),
	    1000 + chance(ENTERPRISE, i, 16, 8900));
	(void)snprintf(organ, sizeof(organ), "%s000", e.region);
	(void)day_text(since, e.since, "");
	(void)day_text(on, quiet ? e.since : e.since + 300, "");
	(void)day_text(until, e.since + 7305, "");
	row("ENT_BASE", "ussssssssssssssssssssss", i + 1, e.code, regno, e.name,
	    e.sole ? "9500" : "1130", state, head.name, "10", head.id,
	    e.sole ? NULL : capital, since, on, since, limited ? until : NULL,
	    where, e.region, "合成数据，无实际经营", industry, organ,
	    "示范市市场监督管理局", "00000000000", last_business(&e),
	    why_ended(&e));
	if (!e.sole)
		investors(i, &e);
	if (e.changed)
		row("ENT_ALT", "ussss", i + 1, "0101", "示范市旧址一号", where,
		    on);
}

static void
registry(void)
{
	for (unsigned i = 0; i < ENTERPRISES; i++)
		register_one(i);
}

/* ---- public security ---- */

static void
population(void)
{
	for (unsigned i = 0; i < PERSONS; i++) {
		struct person p = person(i);
		char state[2] = {p.state, '\0'}, on[16];

		row("czrk_jbxx", "sssssss", p.id, p.name, p.female ? "2" : "1",
		    p.birth, "999901", state,
		    day_text(on, Y2024 + chance(PERSON, i, 8, 700), ""));
	}
}

/* ---- natural resources, and the tax on it ---- */

struct property {
	char case_no[32];
	char contract[32]; /* "": none */
	char unit[32];
	char region[7];
	char kind; /* 1 first, 2 transfer, 3 change, 4 end */
	const char *how;
	unsigned seller, buyer, second; /* persons; second 0: none */
	unsigned long long price;       /* fen */
	bool with_tax;
	unsigned signed_on;
};

static struct property
property(unsigned k)
{
	static const char *const how[] = {
	    "buy", "buy", "buy", "buy", "gift", "inherit", "swap", "buy"};
	/* One unit in twenty is sold again by the next case. */
	unsigned unit = k > 10 && k % 20 == 1 ? k - 1 : k;
	unsigned kind = k < 10 ? 50 : chance(CASE, k, 1, 100);
	struct property p = {.seller = chance(CASE, k, 2, PERSONS),
	    .buyer = k < 2 ? k : chance(CASE, k, 3, PERSONS),
	    .with_tax = chance(CASE, k, 4, 2) == 1,
	    .signed_on = Y2024 + chance(CASE, k, 5, 700)};

	p.kind = kind < 8 ? '1' : kind < 92 ? '2' : kind < 97 ? '3' : '4';
	p.how = k < 10 ? "buy" : how[chance(CASE, k, 6, HT_COUNT(how))];
	if (chance(CASE, k, 7, 4) == 0)
		p.second = 1 + chance(CASE, k, 8, PERSONS - 1);
	p.price = (chance(CASE, k, 9, 9000) + 1000) * 100000ULL;
	(void)snprintf(p.case_no, sizeof(p.case_no), "DEMO-SL-%06u", k + 1);
	if (strcmp(p.how, "buy") == 0)
		(void)snprintf(
		    p.contract, sizeof(p.contract), "DEMO-HT-%06u", k + 1);
	(void)snprintf(p.unit, sizeof(p.unit), "999999001001GB%05uF%04u%04u",
	    1 + unit / 100, 1 + unit / 10 % 10, 1 + unit % 10);
	(void)snprintf(p.region, sizeof(p.region), "%s",
	    regions[k < 10 ? 0 : chance(CASE, k, 10, HT_COUNT(regions))]);
	return p;
}

#define WHOLE 1000000 /* 100 %, in 1/10000 of a per cent */

static void
party(unsigned k, const char *side, unsigned who, unsigned share)
{
	struct person p = person(who);
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", share);
	row("bdc_party", "ussssss", k + 1, side, p.name, "201", p.id,
	    share < WHOLE ? "2" : "0", share < WHOLE ? text : NULL);
}

static void
case_one(unsigned k)
{
	struct property p = property(k);
	unsigned area = 3000 + chance(CASE, k, 11, 15000);
	char kind[2] = {p.kind, '\0'}, cert[96], where[96], on[16], taken[16];

	(void)snprintf(
	    cert, sizeof(cert), "示(2020)示范市不动产权第%07u号", k + 1);
	(void)snprintf(where, sizeof(where), "示范市%s区%s路%u号%u-%u",
	    stems[k % HT_COUNT(stems)], given[k % HT_COUNT(given)], k / 100 + 1,
	    k / 10 % 10 + 1, k % 10 + 101);
	row("bdc_case", "usssssssssuuUusss", k + 1, p.case_no,
	    p.contract[0] != '\0' ? p.contract : NULL, kind, p.how, p.unit,
	    p.kind != '1' ? cert : NULL, where, p.region, "10", area,
	    area * 8 / 10, p.price, (unsigned)p.with_tax,
	    day_text(on, p.signed_on, "/"),
	    day_text(taken, p.signed_on + 1, "/"), "12999999000000019J");
	party(k, "S", p.seller, WHOLE);
	party(k, "B", p.buyer, p.second > 0 ? WHOLE / 2 : WHOLE);
	if (p.second > 0)
		party(k, "B", p.second, WHOLE / 2);
}

static void
land(void)
{
	for (unsigned k = 0; k < CASES; k++)
		case_one(k);
}

/* ---- the local bureau ---- */

enum { PAID = 1, EXEMPT = 2, UNTAXED = 3, UNPAID = 4 };

static unsigned
tax_state(unsigned k, const struct property *p)
{
	unsigned n = chance(CASE, k, 12, 10);

	if (k < 10)
		return k == 1 ? UNPAID : PAID;
	if (strcmp(p->how, "inherit") == 0)
		return UNTAXED;
	return n < 7 ? PAID : n == 7 ? EXEMPT : UNPAID;
}

static void
deed_tax(unsigned k, const struct property *p)
{
	/* 1 % or 3 %, of the price without its 5 % of VAT */
	unsigned rate = chance(CASE, k, 13, 2) == 0 ? 10000 : 30000;
	unsigned long long base =
	    p->with_tax ? (p->price * 100 + 52) / 105 : p->price;
	struct person buyer = person(p->buyer);
	char receipt[24], on[16];

	(void)snprintf(receipt, sizeof(receipt), "399999%012u", k + 1);
	(void)day_text(on, p->signed_on + 2, "");
	row("T_QS_MX", "usssUuUssss", k + 1, buyer.id, buyer.name, "10119",
	    base, rate, (base * rate + 500000) / 1000000, receipt, on, on, on);
}

static void
tax_local(void)
{
	for (unsigned k = 0; k < CASES; k++) {
		struct property p = property(k);
		unsigned state = tax_state(k, &p);
		unsigned long long made =
		    (p.signed_on + 2 - 25567ULL) * 86400 + 7200;

		row("T_QS_YW", "usssussU", k + 1, p.case_no,
		    p.contract[0] != '\0' ? p.contract : NULL, p.unit, state,
		    state == EXEMPT ? "9999999999" : NULL, "19999010000", made);
		if (state == PAID)
			deed_tax(k, &p);
	}
}

/* ---- the state bureau ---- */

static void
office(const struct enterprise *e, char out[static 16])
{
	(void)snprintf(out, 16, "1%s0000", e->region);
}

static void
clearance(unsigned i, const struct enterprise *e, const char *djxh)
{
	char number[32], asked[16], given_on[16], authority[16];
	bool settled = e->state == 'X';

	if (!settled && (e->state != 'D' || i % 2 == 1))
		return;
	office(e, authority);
	(void)snprintf(number, sizeof(number), "DEMO-QS-%06u", i + 1);
	row("zx_qszm", "sssssssss", number, djxh, settled ? "1" : "2",
	    settled ? NULL : "未申报", i % 3 == 0 ? "1" : "2",
	    day_text(asked, e->since + 290, "-"),
	    day_text(given_on, e->since + 295, "-"), authority, "示范市税务局");
}

/* Every eighth firm works outside its region. */
static void
report_work(unsigned i, const struct enterprise *e, const char *djxh)
{
	static const char *const steps[] = {"01", "02", "03"};
	const char *step = steps[i == 0 ? 0 : chance(REPORT, i, 1, 3)];
	bool came = strcmp(step, "02") == 0;
	const char *region =
	    regions[i == 0 ? 1 : chance(REPORT, i, 2, HT_COUNT(regions))];
	struct person contact = person(chance(REPORT, i, 3, PERSONS));
	unsigned from = Y2024 + chance(REPORT, i, 4, 600);
	char number[32], authority[16], amount[24], first[16], last[16],
	    seen[16];

	if (i % 8 != 0 || e->state != 'K')
		return;
	(void)snprintf(number, sizeof(number), "DEMO-KQY-%06u", i + 1);
	(void)snprintf(authority, sizeof(authority), "1%s0000", region);
	(void)snprintf(amount, sizeof(amount), "%u.00",
	    (chance(REPORT, i, 5, 900) + 100) * 1000);
	(void)day_text(last, from + 365, "-");
	row("kqy_bg", "sssssssssssssssss", number, djxh, step, region,
	    "示范市工地一号", came ? authority : NULL, "19", "示范工程合同",
	    NULL, amount, day_text(first, from, "-"), last, last, contact.name,
	    "00000000000", contact.name,
	    came ? day_text(seen, from + 5, "-") : NULL);
}

static void
taxpayer(unsigned i)
{
	struct enterprise e = enterprise(i);
	char djxh[24], authority[16];

	(void)snprintf(djxh, sizeof(djxh), "1%019u", i + 1);
	office(&e, authority);
	row("dj_nsrxx", "sssss", djxh, e.code, e.name,
	    e.state == 'K'   ? "03"
	    : e.state == 'D' ? "05"
	                     : "07",
	    authority);
	clearance(i, &e, djxh);
	report_work(i, &e, djxh);
}

static void
cents(char out[static 24], unsigned fen)
{
	(void)snprintf(out, 24, "%u.%02u", fen / 100, fen % 100);
}

static void
invoice(unsigned n)
{
	/* fully digital in four of five; else paper, with a code */
	unsigned kind = n == 0 ? 0 : chance(INVOICE, n, 1, 5);
	bool paper = kind == 4;
	struct enterprise seller =
	    enterprise(n == 0 ? 0 : chance(INVOICE, n, 2, ENTERPRISES));
	struct enterprise buyer =
	    enterprise(n == 0 ? 1 : chance(INVOICE, n, 3, ENTERPRISES));
	unsigned bare =
	    n == 0 ? 10000 : (chance(INVOICE, n, 4, 100000) + 1) * 100;
	unsigned tax = bare * 13 / 100, state = chance(INVOICE, n, 5, 100);
	char number[24], on[16], amount[24], part[24], total[24];

	(void)snprintf(
	    number, sizeof(number), paper ? "%08u" : "26990%015u", n + 1);
	cents(amount, bare);
	cents(part, tax);
	cents(total, bare + tax);
	row("fp_zx", "ssssssssssss", paper ? "9999261130" : "", number,
	    paper                ? "01"
	    : n == 0 || kind < 3 ? "32"
	                         : "31",
	    n > 0 && state < 2   ? "2"
	    : n > 0 && state < 4 ? "3"
	                         : "0",
	    n == 0 ? "20260108"
	           : day_text(on, Y2024 + 730 + chance(INVOICE, n, 6, 300), ""),
	    seller.code, seller.name, buyer.code, buyer.name, amount, part,
	    total);
}

static void
tax_state_bureau(void)
{
	for (unsigned i = 0; i < ENTERPRISES; i++)
		taxpayer(i);
	for (unsigned n = 0; n < INVOICES; n++)
		invoice(n);
}

/* ---- the cast ---- */

static void
cast(void)
{
	struct person officer = person(2);
	char unknown[19];

	printf("ent_open=%s\n", enterprise(0).code);
	printf("ent_open_name='%s'\n", enterprise(0).name);
	printf("ent_open_head='%s'\n", person(enterprise(0).head).name);
	printf("ent_second=%s\n", enterprise(1).code);
	printf("ent_cancelled=%s\n", enterprise(3).code);
	printf("ent_revoked=%s\n", enterprise(4).code);
	printf("ent_elsewhere=%s\n", enterprise(5).code);
	code_enterprise(99999998, false, unknown);
	printf("ent_unknown=%s\n", unknown);
	printf(
	    "person_id=%s\nperson_name='%s'\n", person(1).id, person(1).name);
	printf("person_dead_id=%s\nperson_dead_name='%s'\n", person(3).id,
	    person(3).name);
	printf("officer_id=%s\nofficer_name='%s'\n", officer.id, officer.name);
	printf("officer_office=11999999000000019M\n");
	printf("unit_paid=%s\ncase_paid=%s\n", property(0).unit,
	    property(0).case_no);
	printf("unit_unpaid=%s\ncase_unpaid=%s\n", property(1).unit,
	    property(1).case_no);
	printf("report_no=DEMO-KQY-000001\n");
	printf("invoice_no=26990000000000000001\ninvoice_date=20260108\n"
	       "invoice_total=113.00\n");
}

static const struct {
	const char *name;
	void (*print)(void);
	bool sql;
} departments[] = {
    {"registry",   registry,         true },
    {"population", population,       true },
    {"land",       land,             true },
    {"tax-state",  tax_state_bureau, true },
    {"tax-local",  tax_local,        true },
    {"cast",       cast,             false},
};

static int
usage(void)
{
	(void)fputs("usage: demo-data [--seed N] registry | population | land |"
	            " tax-state | tax-local | cast\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	char *end = NULL;

	if (argc == 4 && strcmp(argv[1], "--seed") == 0) {
		seed = strtoull(argv[2], &end, 10) % 1000000007;
		if (end == argv[2] || *end != '\0')
			return usage();
		argv += 2;
		argc -= 2;
	}
	if (argc != 2)
		return usage();
	for (size_t i = 0; i < HT_COUNT(departments); i++) {
		if (strcmp(departments[i].name, argv[1]) != 0)
			continue;
		if (departments[i].sql)
			(void)puts("BEGIN;");
		departments[i].print();
		if (departments[i].sql)
			(void)puts("COMMIT;");
		return fflush(stdout) != 0 || ferror(stdout) != 0;
	}
	return usage();
}
