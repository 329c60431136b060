//! Tests every form of date that was seen in feeds.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, expected: Option<&str>) {
    assert_eq!(parse(text).map(Timestamp::rfc3339).as_deref(), expected, "{text:?}");
}

#[test]
fn dates_of_the_specifications_are_read() {
    check("Wed, 20 Dec 2017 07:18:00 +0100", Some("2017-12-20T06:18:00Z"));
    check("Thu, 01 Jan 04 19:48:21 GMT", Some("2004-01-01T19:48:21Z"));
    check("Thursday, 01-Jan-04 19:48:21 GMT", Some("2004-01-01T19:48:21Z"));
    check("Sun Jan  4 16:29:06 2004", Some("2004-01-04T16:29:06Z"));
    check("2003-12-31T10:14:55Z", Some("2003-12-31T10:14:55Z"));
    check("2007-04-23T23:25:47.538+10:00", Some("2007-04-23T13:25:47Z"));
    check("2003-12", Some("2003-12-01T00:00:00Z"));
    check("2003", Some("2003-01-01T00:00:00Z"));
    check("20031231T101455Z", Some("2003-12-31T10:14:55Z"));
    check("2003-335", Some("2003-12-01T00:00:00Z"));
}

#[test]
fn misspelt_dates_are_read() {
    check("Mon, 13 Feb, 2012 06:28:00 UTC", Some("2012-02-13T06:28:00Z"));
    check("Thu, 01 Jan 2004 00:00 GMT", Some("2004-01-01T00:00:00Z"));
    check("Thu, 01 Jan 2004", Some("2004-01-01T00:00:00Z"));
    check("Tue 11 Jan 2011 01:30:00 GMT", Some("2011-01-11T01:30:00Z"));
    check("Thu Aug 30 2012 17:26:16 +0200", Some("2012-08-30T15:26:16Z"));
    check("Sun Jul 15 01:16:00 +0000 2012", Some("2012-07-15T01:16:00Z"));
    check("Wed, 19 Aug 2009 18:28:00 Etc/GMT", Some("2009-08-19T18:28:00Z"));
    check("Wed, 19 Feb 2012 22:40:00 GMT-01:01", Some("2012-02-19T23:41:00Z"));
    check("Mon, 26 January 2004 16:31:00 ET", Some("2004-01-26T21:31:00Z"));
    check("2006-01-17T12:35:1+01:00", Some("2006-01-17T11:35:01Z"));
    check("2006-01-11 16:42:55 -0800", Some("2006-01-12T00:42:55Z"));
    check("2004-07-08 23:56:58.0", Some("2004-07-08T23:56:58Z"));
    check("2004-07-08  T 23:56:58 Z", Some("2004-07-08T23:56:58Z"));
    check("2017-06-13T03:18:00+00:0", Some("2017-06-13T03:18:00Z"));
    check("2020/1/10 14:33:00", Some("2020-01-10T14:33:00Z"));
    check("Fri, 2006/09/15 08:19:53 EDT", Some("2006-09-15T12:19:53Z"));
    check("Friday, January 29, 2021 04:42 PM", Some("2021-01-29T16:42:00Z"));
    check("12:05am 3rd March 2021", Some("2021-03-03T00:05:00Z"));
    check("Fri, 01 Jan 2021 24:00:00 GMT", Some("2021-01-02T00:00:00Z"));
    check("Wed, 20 Dec 2017 06:18:00 +0000 (GMT (really))", Some("2017-12-20T06:18:00Z"));
    check("1513750680", Some("2017-12-20T06:18:00Z"));
    check("1513750680000", Some("2017-12-20T06:18:00Z"));
    check("01 Jan 70 01:09:00 +0100", Some("1970-01-01T00:09:00Z"));
    for short in ["031231", "03-12-31"] {
        check(short, Some("2003-12-31T00:00:00Z"));
    }
    for short in ["-0312", "-03-12", "03335"] {
        check(short, Some("2003-12-01T00:00:00Z"));
    }
}

#[test]
fn dates_in_other_languages_are_read() {
    check("Κυρ, 11 Ιούλ 2004 12:00:00 EST", Some("2004-07-11T17:00:00Z"));
    check("2004-július-13T9:15-05:00", Some("2004-07-13T14:15:00Z"));
    check("2004-05-25 오후 11:23:17", Some("2004-05-25T14:23:17Z"));
    check("2004년 05월 28일  01:31:15", Some("2004-05-27T16:31:15Z"));
    check("2004年5月28日 10時31分15秒", Some("2004-05-28T01:31:15Z"));
    check("Пн, 12 декабря 2011 10:00:00 +0300", Some("2011-12-12T07:00:00Z"));
    check("mar, 05 ene 2021 10:00:00 GMT", Some("2021-01-05T10:00:00Z"));
    check("31. Dezember 2020, 18:30 CET", Some("2020-12-31T17:30:00Z"));
}

#[test]
fn months_of_any_language_are_read() {
    check("ti, 05 marraskuuta 2024 10:00:00 +0200", Some("2024-11-05T08:00:00Z"));
    check("5. maaliskuuta 2024 klo 15.04", Some("2024-03-05T15:04:00Z"));
    check("Sal, 05 Kas 2024 10:00:00 +0300", Some("2024-11-05T07:00:00Z"));
    check("5 Ağustos 2024 10:00", Some("2024-08-05T10:00:00Z"));
    check("Wt, 01 paź 2024 10:00:00 +0200", Some("2024-10-01T08:00:00Z"));
    check("12 września 2024", Some("2024-09-12T00:00:00Z"));
    check("12 wrzesnia 2024", Some("2024-09-12T00:00:00Z"));
    check("Út, 05 bře 2024 10:00:00 +0100", Some("2024-03-05T09:00:00Z"));
    check("5. června 2024", Some("2024-06-05T00:00:00Z"));
    check("5. července 2024", Some("2024-07-05T00:00:00Z"));
    check("Вт, 05 листопада 2024 10:00:00 +0200", Some("2024-11-05T08:00:00Z"));
    check("Пн, 01 лип 2024 10:00:00 +0300", Some("2024-07-01T07:00:00Z"));
    check("uto, 05 stu 2024 10:00:00 +0100", Some("2024-11-05T09:00:00Z"));
    check("5. siječnja 2024.", Some("2024-01-05T00:00:00Z"));
    check("Sel, 05 Agu 2024 10:00:00 +0700", Some("2024-08-05T03:00:00Z"));
    check("5 Desember 2024", Some("2024-12-05T00:00:00Z"));
    check("5 tháng 11, 2024", Some("2024-11-05T00:00:00Z"));
    check("5 พ.ย. 2567", Some("2024-11-05T00:00:00Z"));
    check("۵ نوامبر ۲۰۲۴", Some("2024-11-05T00:00:00Z"));
    check("5 de gener de 2024", Some("2024-01-05T00:00:00Z"));
    check("2024 m. lapkričio 5", Some("2024-11-05T00:00:00Z"));
    check("mardi 1er août 2023 à 15h04", Some("2023-08-01T15:04:00Z"));
    check("lun., 5 de noviembre de 2024, 3:09 p. m.", Some("2024-11-05T15:09:00Z"));
}

#[test]
fn weekday_resolves_an_ambiguous_date() {
    check("uto, 01 lis 2024 10:00:00 +0200", Some("2024-10-01T08:00:00Z"));
    check("pt., 01 lis 2024 10:00:00 +0100", Some("2024-11-01T09:00:00Z"));
    check("01 lis 2024 10:00:00 +0100", None);
    check("Sat, 11 04 2020 08:51:49 +0100", Some("2020-04-11T07:51:49Z"));
    check("Wed, 11 04 2020 08:51:49 +0100", Some("2020-11-04T07:51:49Z"));
    check("11 04 2020 08:51:49", None);
    check("25 04 2020 08:51:49", Some("2020-04-25T08:51:49Z"));
    check("Saturday 03/04/2021", Some("2021-04-03T00:00:00Z"));
    check("Sunday 03/04/2021", None);
    check("03/04/2020", None);
    check("13/04/2020", Some("2020-04-13T00:00:00Z"));
    check("04/04/2020", Some("2020-04-04T00:00:00Z"));
    // A wrong weekday does no harm if it is not needed.
    check("Mon, 05 Nov 2024 10:00:00 GMT", Some("2024-11-05T10:00:00Z"));
}

#[test]
fn date_formats_of_programs_are_read() {
    for text in [
        "Friday, December 22, 2017 - 3:09pm",
        "Friday, December 22, 2017 – 15:09",
        "Fri, 22 Dec 2017, 3:09 PM",
        "December 22, 2017 at 3:09 p.m.",
        "22-Dec-2017 15:09",
        "22.12.2017 15:09",
        "22.12.2017, 15.09 Uhr",
        "2017-12-22 15:09:00.000000",
        "2017-12-22T15:09:00,000Z",
        "2017-12-22T15:09:00:00",
        "2017-12-22T15:09:00:000Z",
        "2017-12-22T15:09:00 00",
        "2017-12-22T150900Z",
        "2017-12-22 1509",
        "2017-12-22T10:09:00-05:00Z",
        "2017-12-22T08:09:00-07:00:00",
        "Fri, 22 Dec 2017 08:09:00 MST-07:00",
        "2017-12-22T160900+01:00",
        "Fri, 22 Dec 2017 16:09:00 0100",
        "Fri, 22 Dec 2017 23:09:00 +0800 GMT",
        "Fri, 22 Dec 2017 15:09:00 +0000 UTC",
        "2017-12-22T16:09:00+01:00[Europe/Berlin]",
        "Fri Dec 22 2017 16:09:00 GMT+0100 (Central European Standard Time)",
        "Fri, 22 Dec 2017 EST 10:09:00",
        "2017-W51-5T15:09Z",
        "Fri Dec 22 10:09:00 EST 2017",
        "2017年12月22日 下午11:09",
        "２０１７-１２-２２ 15:09",
    ] {
        check(text, Some("2017-12-22T15:09:00Z"));
    }
    check("Nov. 2020", Some("2020-11-01T00:00:00Z"));
    check("3pm 3rd March 2021", Some("2021-03-03T15:00:00Z"));
    check("2020-02-29", Some("2020-02-29T00:00:00Z"));
}

#[test]
fn zones_of_the_world_are_read() {
    check("Mon, 01 Jan 2024 07:00:00 WIB", Some("2024-01-01T00:00:00Z"));
    check("Mon, 01 Jan 2024 12:00:00 PKT", Some("2024-01-01T07:00:00Z"));
    check("Mon, 01 Jan 2024 07:00:00 ART", Some("2024-01-01T10:00:00Z"));
    check("Mon, 01 Jan 2024 12:00:00 NPT", Some("2024-01-01T06:15:00Z"));
    check("Mon, 01 Jan 2024 12:00:00 Europe/Berlin", Some("2024-01-01T11:00:00Z"));
    check("Mon, 01 Jul 2024 12:00:00 europe/berlin", Some("2024-07-01T10:00:00Z"));
    check("2024-07-01T12:00[America/New_York]", Some("2024-07-01T16:00:00Z"));
    check("2024-07-01 12:00 America/Port-au-Prince", Some("2024-07-01T16:00:00Z"));
    check("2024-07-01 12:00 EST5EDT", Some("2024-07-01T16:00:00Z"));
    // The sign of the `Etc` zones is inverted: this one is five hours west of Greenwich.
    check("2024-07-01 12:00 Etc/GMT+5", Some("2024-07-01T17:00:00Z"));
    check("2024-07-01 12:00 Japan", Some("2024-07-01T03:00:00Z"));
    // The clocks skip the first of these times in spring, and show the second one twice in autumn.
    check("2024-03-31 02:30 Europe/Berlin", Some("2024-03-31T01:30:00Z"));
    check("2024-10-27 02:30 Europe/Berlin", Some("2024-10-27T00:30:00Z"));
}

#[test]
fn unknown_zone_is_reported() {
    let check = |text: &str, expected: bool| {
        let read = read(text).unwrap();
        assert_eq!((read.at.rfc3339().as_str(), read.has_unknown_zone), ("2024-01-01T07:00:00Z", expected), "{text}");
    };
    check("Mon, 01 Jan 2024 07:00:00 XYZT", true);
    check("Mon, 01 Jan 2024 07:00:00 Mars/Olympus", true);
    check("Mon, 01 Jan 2024 07:00:00 MART", true);
    check("Mon, 01 Jan 2024 07:00:00", false);
    check("Mon, 01 Jan 2024 07:00:00 +0000 XYZT", false);
    check("01 Jan 2024 07:00:00 MON", false);
    check("01 Jan 2024 07:00 Uhr", false);
}

#[test]
fn year_before_the_gregorian_calendar_is_no_date() {
    for text in [
        "0001-01-01T00:00:00Z",
        "Mon, 01 Jan 0001 00:00:00 +0000",
        "00010101000000",
        "0000-00-00 00:00:00",
        "-0001-11-30T00:00:00+00:00",
        "۱۴۰۲/۰۵/۱۲",
    ] {
        check(text, None);
    }
    check("1885-03-04T00:00:00Z", Some("1885-03-04T00:00:00Z"));
}

#[test]
fn nonsense_stays_unread() {
    for text in [
        "200é（",
        "2017-12-20T06:18:00+9999999999",
        "Wed, 20 Dec 2017 06:18:00 +99999900",
        "",
        "null",
        "yesterday",
        "013",
        "Sun, 16 Dec 2012 1:2:3:4 GMT",
        "Sun, 16 zzz 2012 11:47:32 GMT",
        "Sun, Dec x 2012 11:47:32 GMT",
        "Sun, 16 Dec zz 11:47:32 GMT",
        "Sun, 16 Dec 2012 11:47:32 +zz:00",
        "Sun, 99 Jun 2009 12:00:00 GMT",
        "Mon, 32 Jan 2024 00:00:00 GMT",
        "9999-12-31T23:59:59-99:99",
        "2003-12-31T25:14:55Z",
        "2003-12-31T10:61:55Z",
        "2003-12-31T10:14:61Z",
        "2013-01-27-01",
        "2013-01-28T11:30:00-06:00Textra",
        "2013-xx-27",
        "2013-01-28T09:xx:00Z",
        "2013-01-28T09:00:00+00:xx",
        "03/04/2020",
    ] {
        check(text, None);
    }
    check(&"(".repeat(100_000), None);
}

#[test]
fn doubtful_dates_are_reported_as_repairs() {
    let mut repairs = Repairs::default();
    assert!(noted("Mon, 01 Jan 2024 07:00:00 XYZT", &mut repairs).is_some());
    assert!(noted("soon", &mut repairs).is_none());
    assert!(noted(" ", &mut repairs).is_none());
    assert!(noted("Mon, 01 Jan 2024 07:00:00 WIB", &mut repairs).is_some());
    assert_eq!(
        repairs.list().iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "a date could not be read: \"soon\"",
            "an unknown time zone was read as UTC: \"Mon, 01 Jan 2024 07:00:00 XYZT\""
        ]
    );
}

/// Generates dates in the forms of the standards, and dates that are nearly in these forms.
fn nearly_standard() -> impl Strategy<Value = String> {
    let number = |most: u32| 0..=most;
    let clock = (number(24), number(60), number(61));
    let day = (prop::sample::select(vec![1900, 1969, 1970, 2017, 2024, 2099, 2100, 2543, 17]), 0..=13u32, 0..=32u32);
    let zones =
        ["Z", "z", "+00:00", "-08:00", "+14:00", "+23:59", "+24:00", "", "GMT", "EST", "+0000", "-0330", "+1", "UTC"];
    let shapes = prop::sample::select(vec![0, 1, 2, 3]);
    (shapes, day, clock, prop::sample::select(zones.to_vec()), prop::sample::select(vec!["", ".5", ".123456789"]))
        .prop_map(|(shape, (year, month, day), (hour, minute, second), zone, fraction)| {
            const NAMES: [&str; 12] =
                ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
            let name = NAMES[(month % 12) as usize];
            let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
            let weekday = NaiveDate::from_ymd_opt(year, month % 12 + 1, day)
                .map_or("Mon", |date| days[date.weekday().num_days_from_monday() as usize]);
            match shape {
                0 => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"),
                1 => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{zone}"),
                2 => format!("{weekday}, {day:02} {name} {year:04} {hour:02}:{minute:02}:{second:02} {zone}"),
                _ => format!("Mon, {day} {name} {year:04} {hour:02}:{minute:02}:{second:02} {zone}"),
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn standard_dates_are_read_the_same_as_part_by_part(text in nearly_standard()) {
        if let Some(at) = standard(&text) {
            prop_assert_eq!(read_parts(&text).map(|read| (read.at, read.has_unknown_zone)), Some((at, false)), "{}", text);
        }
    }
}
