//! The loop: a table, settlements, auctions, bids, figures; and so on to the end.

mod books;
mod notes;

use std::collections::BTreeSet;

use zkmargin_fixtures::build::{domain, portfolio_book};
use zkmargin_protocol::account::Book;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::Bid;
use zkmargin_protocol::value::units::{AccountIndex, Time};

use crate::StressError;
use crate::audit::check_conservation;
use crate::bidders::Bidder;
use crate::feed::{Feed, Scene};
use crate::keeper;
use crate::population::{Pair, first_bidder, pairs};
use crate::settings::Settings;
use crate::standing::Standings;
use crate::tally::Tally;
use crate::venue::Venue;

/// Seconds from a table to its first round.
const FIRST_ROUND_S: u64 = 10;
/// Seconds from a round to the next.
const ROUND_S: u64 = 60;

/// A replay under way.
pub struct Replay {
    feed: Feed,
    venue: Venue,
    settings: Settings,
    parameters: BatchParameters,
    pairs: Vec<Pair>,
    bidders: Vec<Bidder>,
    deposited: i128,
    standings: Standings,
    /// Accounts that could have been liquidated, by what was noted since they last covered their
    /// margin.
    neglected: BTreeSet<AccountIndex>,
    tally: Tally,
}

/// Replays `scene` from the first to the last of `span`.
///
/// # Errors
/// [`StressError::Conservation`] if money or contracts came or went; those of data and rules.
pub fn run(scene: Scene, span: [Time; 2], settings: Settings) -> Result<Tally, StressError> {
    let [mut time, end] = span;
    let step_s = settings.step_s;
    let mut replay = Replay::new(scene, settings)?;
    replay.open(time)?;
    while time < end {
        time = Time::new(time.get() + step_s)?;
        replay.step(time)?;
    }
    replay.tally.repaired = replay.feed.repaired;
    Ok(replay.tally)
}

impl Replay {
    fn new(scene: Scene, settings: Settings) -> Result<Self, StressError> {
        let feed = Feed::new(scene, domain(), settings.risk.clone());
        let first = first_bidder(settings.pairs);
        let bidders = (first..).zip(&settings.hurdles_ppm).map(|(index, &hurdle_ppm)| {
            Ok(Bidder { account: AccountIndex::new(index)?, hurdle_ppm })
        });
        let auction = settings.auction.clone();
        let parameters = BatchParameters { auction, ..feed.batch_parameters() };
        Ok(Self {
            venue: Venue::new(domain())?,
            parameters,
            pairs: pairs(settings.pairs, settings.seed)?,
            bidders: bidders.collect::<Result<_, StressError>>()?,
            deposited: 0,
            standings: Standings::new(),
            neglected: BTreeSet::new(),
            tally: Tally::default(),
            feed,
            settings,
        })
    }

    fn book(&self) -> Book {
        portfolio_book(self.feed.underlying().get())
    }

    /// One table and the rounds under it.
    fn step(&mut self, time: Time) -> Result<(), StressError> {
        let is_expiry = self.feed.has_expiry(time);
        let books = if is_expiry { self.list_rolls(time)? } else { Vec::new() };
        let market = self.feed.publish(time, &self.parameters)?;
        check_conservation(&self.venue.state, &market, self.deposited)?;
        self.count_falls(&market)?;
        if is_expiry {
            let settlements = keeper::settlements(&self.venue.state, &market, time);
            let trace = self.venue.post(&market, time, |posting| {
                for operation in settlements {
                    posting.push(&[operation])?;
                }
                Ok(())
            })?;
            self.tally.batches += usize::from(trace.is_some());
            self.trade(&market, time, &books)?;
            self.feed.delist(time);
        }
        self.rounds(&market, time)
    }

    /// Rounds of auctions until the next table.
    fn rounds(&mut self, market: &Market, time: Time) -> Result<(), StressError> {
        let is_outside = market.attestation().message.is_outside_band;
        self.tally.outside_band += usize::from(is_outside);
        let mut last = time;
        let rounds = (FIRST_ROUND_S..self.settings.step_s).step_by(ROUND_S as usize);
        for after_s in rounds.take(self.settings.rounds) {
            last = Time::new(time.get() + after_s)?;
            let phases = keeper::phases(&self.venue.state, market)?;
            let bids = if is_outside { Vec::new() } else { self.bids(market, last)? };
            let trace = self.venue.post(market, last, |posting| {
                for operation in phases {
                    posting.push(&[operation])?;
                }
                for (bidder, bid) in bids {
                    posting.request(bidder, Action::Bid(bid))?;
                }
                Ok(())
            })?;
            if let Some(trace) = &trace {
                self.tally.add(trace);
            } else if self.auctions() == 0 {
                break;
            }
        }
        let deficits = keeper::deficits(&self.venue.state, market, last)?;
        let trace = self.venue.post(market, last, |posting| Ok(posting.push(&deficits)?))?;
        if let Some(trace) = &trace {
            self.tally.add(trace);
        }
        self.note_standings(market, last, is_outside)?;
        self.note_moment(market, time)?;
        check_conservation(&self.venue.state, market, self.deposited)
    }

    fn bids(&self, market: &Market, time: Time) -> Result<Vec<(AccountIndex, Bid)>, StressError> {
        keeper::bids(&self.venue.state, market, time, &self.bidders)
    }

    fn auctions(&self) -> usize {
        let accounts = self.venue.state.accounts().values();
        accounts.filter(|account| account.auction.is_some()).count()
    }
}
