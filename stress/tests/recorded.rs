//! The page `docs/stress.md` and its drawings against the program that writes them.

use std::path::Path;

use zkmargin_stress::events::EVENTS;
use zkmargin_stress::{StressError, plot, report};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The event replayed here: the shortest, with accounts below zero, bids that the fund pays, and
/// jumps beyond the band.
const REPLAYED: &str = "2020-03-btc";

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/{path}")).unwrap()
}

/// Heads and cells of the table that has the column `title` first on the page.
fn column(page: &str, title: &str) -> Vec<(String, String)> {
    let rows = page.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let mut rows = rows.skip_while(|cells| !cells.contains(&title)).take_while(|row| row.len() > 2);
    let place = rows.next().unwrap().iter().position(|cell| *cell == title).unwrap();
    rows.skip(1).map(|cells| (cells[1].to_owned(), cells[place].to_owned())).collect()
}

#[test]
fn page_has_every_event_and_none_with_a_fall_that_could_have_been_avoided() {
    let page = read("docs/stress.md");
    for event in EVENTS {
        let lines = column(&page, event.title);
        let avoidable = lines.iter().find(|(head, _)| head.ends_with("liquidated in time"));
        assert_eq!(avoidable.unwrap().1, "0", "{}", event.name);
        assert!(page.contains(&format!("(stress/{}.svg)", event.name)), "{}", event.name);
        assert!(read(&format!("docs/stress/{}.svg", event.name)).contains(event.title));
    }
}

#[test]
fn replay_of_an_event_gives_what_is_checked_in() {
    let event = EVENTS.iter().find(|event| event.name == REPLAYED).unwrap();
    let tally = match event.replay(Path::new(&format!("{ROOT}/../shared/data")), |_| {}) {
        Err(StressError::Missing(path, _)) => {
            println!("skipped: {} (../shared/data absent)", path.display());
            return;
        }
        tally => tally.unwrap(),
    };
    assert_eq!(tally.avoidable, 0);
    assert!(tally.payouts.count > 0 && tally.outside_band > 0);
    assert_eq!(read(&format!("docs/stress/{REPLAYED}.svg")), plot::svg(event.title, &tally));
    let now = column(&report::table(&[(event.title, &tally)]), event.title);
    let page = column(&read("docs/stress.md"), event.title);
    for line in &now {
        assert!(page.contains(line), "{line:?}");
    }
    // The page has lines that are zero in this column; the table of one column leaves them out.
    for line in page.iter().filter(|line| !now.contains(line)) {
        assert_eq!(line.1, "0", "{line:?}");
    }
}
