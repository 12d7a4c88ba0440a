/* SPDX-License-Identifier: MIT */
/* The CMOS clock (Motorola MC146818A data sheet): date and time at boot, nothing more. */
#include <arch/acpi.h>
#include <arch/clock.h>
#include <arch/io.h>
#include <arch/power.h>
#include "kernel/base/string.h"

#define CMOS_INDEX 0x70 /* bit 7, kept clear, would disable NMI */
#define CMOS_DATA  0x71

#define REG_SECONDS  0x00
#define REG_MINUTES  0x02
#define REG_HOURS    0x04
#define REG_DAY	     0x07
#define REG_MONTH    0x08
#define REG_YEAR     0x09
#define REG_STATUS_A 0x0a
#define REG_STATUS_B 0x0b

#define A_UPDATING 0x80
#define B_24_HOURS 0x02
#define B_BINARY   0x04
#define HOUR_PM	   0x80

#define SECONDS_PER_DAY 86400ULL

struct cmos_time {
	u8 second, minute, hour, day, month, year, century;
};

static u8 cmos_read(u8 reg)
{
	outb(CMOS_INDEX, reg);
	return inb(CMOS_DATA);
}

/* An update of the registers takes up to 2 ms. False when it never ends: no clock there. */
static bool wait_for_update(void)
{
	unsigned int tries;

	for (tries = 0; tries < 500; tries++) {
		if (!(cmos_read(REG_STATUS_A) & A_UPDATING))
			return true;
		udelay(10);
	}
	return false;
}

static void read_once(struct cmos_time *t)
{
	t->second = cmos_read(REG_SECONDS);
	t->minute = cmos_read(REG_MINUTES);
	t->hour = cmos_read(REG_HOURS);
	t->day = cmos_read(REG_DAY);
	t->month = cmos_read(REG_MONTH);
	t->year = cmos_read(REG_YEAR);
	t->century = acpi_info.century_reg ? cmos_read(acpi_info.century_reg & 0x7f) : 0;
}

/* An update may begin just after we looked: only two equal readings are one moment's. */
static bool read_stable(struct cmos_time *t)
{
	struct cmos_time again;
	unsigned int tries;

	for (tries = 0; tries < 10; tries++) {
		if (!wait_for_update())
			return false;
		read_once(t);
		if (!wait_for_update())
			return false;
		read_once(&again);
		if (memcmp(t, &again, sizeof(again)) == 0)
			return true;
	}
	return false;
}

static u8 from_bcd(u8 v)
{
	return (u8)((v >> 4) * 10 + (v & 0x0f));
}

static void decode(struct cmos_time *t, u8 status_b)
{
	bool pm = t->hour & HOUR_PM;

	if (!(status_b & B_24_HOURS))
		t->hour &= (u8)~HOUR_PM;
	if (!(status_b & B_BINARY)) {
		t->second = from_bcd(t->second);
		t->minute = from_bcd(t->minute);
		t->hour = from_bcd(t->hour);
		t->day = from_bcd(t->day);
		t->month = from_bcd(t->month);
		t->year = from_bcd(t->year);
		t->century = from_bcd(t->century);
	}
	if (!(status_b & B_24_HOURS)) /* 12 am is 0, 12 pm is 12 */
		t->hour = (u8)(t->hour % 12 + (pm ? 12 : 0));
	/* No register, or a byte that is used for something else. */
	if (t->century < 19 || t->century > 29)
		t->century = 20;
}

static bool is_date(const struct cmos_time *t)
{
	return t->second < 60 && t->minute < 60 && t->hour < 24 && t->day >= 1 && t->day <= 31 &&
	       t->month >= 1 && t->month <= 12 && t->year < 100;
}

/* Days from 1970-01-01 in the Gregorian calendar; counted in years that begin in March. */
static u64 days_since_epoch(unsigned int year, unsigned int month, unsigned int day)
{
	unsigned int leap_days;

	if (month <= 2) {
		month += 12;
		year--;
	}
	leap_days = year / 4 - year / 100 + year / 400;
	/* (153 m + 2) / 5: days before month m of a year that begins in March */
	return 365ULL * year + leap_days + (153 * (month - 3) + 2) / 5 + day - 1 - 719468;
}

u64 rtc_read_unix(void)
{
	struct cmos_time t;
	unsigned int year;

	if (!read_stable(&t))
		return 0;
	decode(&t, cmos_read(REG_STATUS_B));
	year = t.century * 100U + t.year;
	if (!is_date(&t) || year < 1970)
		return 0;
	return days_since_epoch(year, t.month, t.day) * SECONDS_PER_DAY + t.hour * 3600U +
	       t.minute * 60U + t.second;
}
