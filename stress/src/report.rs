//! Replays as tables of text.

use std::fmt::Write;

use jiff::Timestamp;
use zkmargin_protocol::value::units::Time;

use crate::StressError;
use crate::bidders::Abstention;
use crate::standing::{Counts, Standing};
use crate::tally::{Shares, Tally};

/// Micro-USDC in thousands of USDC with one digit.
fn thousands(amount_e6: i128) -> String {
    let tenths = amount_e6 / 100_000_000;
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths.abs() / 10, tenths.abs() % 10)
}

/// Parts per million as per cent with two digits.
fn percent(share_ppm: i128) -> String {
    format!("{}.{:02} %", share_ppm / 10_000, share_ppm % 10_000 / 100)
}

fn shares(shares: &Shares, worst_ppm: u32) -> String {
    if shares.count == 0 {
        return "none".to_owned();
    }
    format!("{}; {}", percent(shares.mean_ppm().into()), percent(worst_ppm.into()))
}

/// `YYYY-MM-DD hh:mm` in UTC.
///
/// # Panics
/// After the year 9999, which no recorded time is in.
pub fn date(time: Time) -> String {
    let moment = i64::try_from(time.get()).ok().and_then(|s| Timestamp::from_second(s).ok());
    let moment = moment.expect("a year of four digits");
    moment.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A line of a table: its head, and what stands in it of a replay.
type Line = (&'static str, fn(&Tally) -> String);

const LINES: [Line; 22] = [
    ("accounts", |tally| tally.accounts.to_string()),
    ("books opened", |tally| tally.opened.to_string()),
    ("batches", |tally| tally.batches.to_string()),
    ("steps; outside of the band; surface repaired", |tally| {
        format!("{}; {}; {}", tally.moments.len(), tally.outside_band, tally.repaired)
    }),
    ("writers' cash", |tally| thousands(tally.writers_e6)),
    ("liquidators' cash", |tally| thousands(tally.bidders_e6)),
    ("open interest, greatest", |tally| thousands(tally.interest_e6)),
    ("auctions started; turned; ended", |tally| {
        format!("{}; {}; {}", tally.started, tally.turned, tally.ended)
    }),
    ("most at a time", |tally| {
        let busiest = tally.busiest().map(|moment| (moment.auctions, date(moment.time)));
        busiest.map_or(String::new(), |(count, date)| format!("{count} ({date})"))
    }),
    ("bids with equity; without", |tally| {
        format!("{}; {}", tally.prices.count, tally.payouts.count)
    }),
    ("price, share of value: mean; least", |tally| shares(&tally.prices, tally.prices.least_ppm)),
    ("payout, share of margin: mean; greatest", |tally| {
        shares(&tally.payouts, tally.payouts.greatest_ppm)
    }),
    ("fund: start", |tally| thousands(tally.fund_e6)),
    ("fund: fees", |tally| thousands(tally.fees_e6)),
    ("fund: paid to bidders", |tally| thousands(tally.drawn_e6)),
    ("fund: given to deficits", |tally| thousands(tally.covered_e6)),
    ("fund: end", |tally| thousands(tally.last().map_or(0, |moment| moment.fund_e6))),
    ("shortfall left", |tally| thousands(tally.last().map_or(0, |moment| moment.debt_e6))),
    ("deficit counted: most; at the end", |tally| {
        let most = tally.moments.iter().map(|moment| moment.deficit_e6).max();
        let last = tally.last().map_or(0, |moment| moment.deficit_e6);
        format!("{}; {}", thousands(most.unwrap_or(0)), thousands(last))
    }),
    ("worst step: equity below zero", |tally| {
        let worst = tally.worst().filter(|moment| moment.debt_e6 > 0);
        let text = worst.map(|moment| (thousands(moment.debt_e6), date(moment.time)));
        text.map_or("none".to_owned(), |(debt, date)| format!("{debt} ({date})"))
    }),
    ("bad debt, share of open interest", |tally| percent(tally.bad_debt_ppm())),
    ("fell below zero: could have been liquidated in time", |tally| tally.avoidable.to_string()),
];

fn row(head: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {head} | {} |\n", cells.join(" | "))
}

/// Replays side by side, cash in thousands of USDC. How accounts stood is a line only where there
/// is a number above zero.
pub fn table(replays: &[(&str, &Tally)]) -> String {
    let mut out = row("", replays.iter().map(|(title, _)| (*title).to_owned()));
    out += &row("---", replays.iter().map(|_| "---".to_owned()));
    for (head, cell) in LINES {
        out += &row(head, replays.iter().map(|(_, tally)| cell(tally)));
    }
    out += &counts("fell below zero", replays, |tally| &tally.falls);
    out += &counts("account-steps", replays, |tally| &tally.waits);
    out
}

fn counts(head: &str, replays: &[(&str, &Tally)], of: fn(&Tally) -> &Counts) -> String {
    let mut out = String::new();
    for standing in Standing::ALL {
        let count = |(_, tally): &(_, &Tally)| of(tally).get(&standing).copied().unwrap_or(0);
        let numbers: Vec<usize> = replays.iter().map(count).collect();
        if numbers.iter().any(|&number| number > 0) {
            let cells = numbers.iter().map(usize::to_string);
            out += &row(&format!("{head}: {}", words(standing)), cells);
        }
    }
    out
}

fn words(standing: Standing) -> &'static str {
    match standing {
        Standing::Covered => "maintenance margin covered a step before",
        Standing::NoBidder(Abstention::Absent) => "in auction, every liquidator in auction too",
        Standing::NoBidder(Abstention::NotForSale) => "in auction, nothing for sale",
        Standing::NoBidder(Abstention::NotWorthIt) => "in auction, not worth a bid",
        Standing::NoBidder(Abstention::NoCapital) => "in auction, no liquidator with margin",
        Standing::NoBidder(Abstention::NoSlots) => "in auction, no liquidator with slots",
        Standing::OutsideBand => "in auction outside of the band",
        Standing::Unserved => "in auction, more rounds would have helped",
        Standing::NotStarted => "below margin, not in auction",
        Standing::Negative => "below zero",
    }
}

/// Where the tables of a page begin and end.
const MARKS: [&str; 2] = ["<!-- tables -->\n", "<!-- end of tables -->\n"];

/// A page with these tables, each under its heading, in the place of those it had.
///
/// # Errors
/// [`StressError::Data`] for a page without the place.
pub fn renewed(page: &str, tables: &[(&str, String)]) -> Result<String, StressError> {
    let [before, after] = MARKS.map(|mark| page.split_once(mark));
    let (Some((before, _)), Some((_, after))) = (before, after) else {
        return Err(StressError::data("no place for tables in", "the page"));
    };
    let mut out = format!("{before}{}", MARKS[0]);
    for (title, table) in tables {
        // Writing to a text does not fail.
        let _ = write!(out, "\n### {title}\n\n{table}");
    }
    Ok(format!("{out}\n{}{after}", MARKS[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |second| date(Time::new(second).unwrap());
        assert_eq!(at(0), "1970-01-01 00:00");
        assert_eq!(at(951_868_799), "2000-02-29 23:59");
        assert_eq!(at(1_770_564_889), "2026-02-08 15:34");
    }

    #[test]
    fn tables_of_a_page_are_replaced_and_nothing_else() {
        let page = "Before.\n<!-- tables -->\nold\n<!-- end of tables -->\nAfter.\n";
        let new = renewed(page, &[("Title", "| a |\n".to_owned())]).unwrap();
        let expected =
            "Before.\n<!-- tables -->\n\n### Title\n\n| a |\n\n<!-- end of tables -->\nAfter.\n";
        assert_eq!(new, expected);
        assert_eq!(renewed(&new, &[("Title", "| a |\n".to_owned())]).unwrap(), expected);
        assert!(renewed("Before.\n", &[]).is_err());
    }

    #[test]
    fn lines_of_zeros_are_left_out() {
        let mut tally = Tally::default();
        tally.falls.insert(Standing::Unserved, 2);
        tally.avoidable = 2;
        let text = table(&[("none", &Tally::default()), ("some", &tally)]);
        assert!(
            text.contains("| fell below zero: in auction, more rounds would have helped | 0 | 2 |")
        );
        assert!(text.contains("could have been liquidated in time | 0 | 2 |"));
        assert!(!text.contains("account-steps"), "{text}");
    }

    #[test]
    fn amounts_are_cut_off_toward_zero() {
        assert_eq!(thousands(1_234_567_890_123), "1234.5");
        assert_eq!(thousands(-1_234_567_890), "-1.2");
        assert_eq!(percent(1_234_567), "123.45 %");
        assert_eq!(percent(900), "0.09 %");
    }
}
