//! The books of a replay: opened at the start, and anew when the last ones have expired.

use zkmargin_protocol::account::{Account, INSURANCE_FUND, fee_account};
use zkmargin_protocol::market::Market;
use zkmargin_protocol::value::units::{Cash, PPM, Time};

use super::Replay;
use crate::StressError;
use crate::feed::Feed;
use crate::openings::Opening;
use crate::population::Pair;

impl Replay {
    /// Deposits of all, and the first trades.
    pub(super) fn open(&mut self, time: Time) -> Result<(), StressError> {
        let books = self.list_books(time, |_| true)?;
        let market = self.feed.publish(time, &self.parameters)?;
        let mut cash = Vec::new();
        for (pair, opening) in &books {
            let needs = opening.needs(&market, self.book(), pair.capital_ppm)?;
            self.tally.writers_e6 += needs[0];
            cash.extend([(pair.writer, needs[0]), (pair.holder, needs[1])]);
        }
        let share = |ppm: u32| self.tally.writers_e6 * i128::from(ppm) / i128::from(PPM);
        let count = self.bidders.len().max(1) as i128;
        let [fund, bidder] =
            [share(self.settings.fund_ppm), share(self.settings.bidders_ppm) / count];
        cash.extend(self.bidders.iter().map(|found| (found.account, bidder)));
        // A deposit is of something.
        cash.extend([(INSURANCE_FUND, fund.max(1)), (fee_account(), 1)]);
        self.tally.accounts = cash.len();
        self.tally.fund_e6 = fund.max(1);
        self.tally.bidders_e6 = bidder * count;
        self.deposited = cash.iter().map(|&(_, amount)| amount).sum();
        let book = self.book();
        self.venue.post(&market, time, |posting| {
            for &(account, amount) in &cash {
                posting.deposit(account, book, Cash::try_from(amount)?)?;
            }
            Ok(())
        })?;
        self.trade(&market, time, &books)?;
        self.rounds(&market, time)
    }

    /// Lists the books of the pairs that `wants` one.
    fn list_books(
        &mut self,
        time: Time,
        wants: impl Fn(&Pair) -> bool,
    ) -> Result<Vec<(Pair, Opening)>, StressError> {
        let price = self.feed.price_at(time)?;
        let expiries = self.feed.expiries(time);
        let wanted: Vec<Pair> = self.pairs.iter().filter(|pair| wants(pair)).cloned().collect();
        let mut books = Vec::new();
        for pair in wanted {
            let (specs, size_e3) = pair.book(self.feed.underlying(), time, price, &expiries)?;
            let mut legs = Vec::new();
            for (spec, ratio) in specs {
                legs.push((self.feed.list(spec)?, ratio));
            }
            books.push((pair, Opening { legs, size_e3 }));
        }
        Ok(books)
    }

    /// Opens books, each as large as both sides can afford; a pair that cannot trade stays flat.
    pub(super) fn trade(
        &mut self,
        market: &Market,
        time: Time,
        books: &[(Pair, Opening)],
    ) -> Result<(), StressError> {
        // Few enough that a batch does not slow down with its length.
        for some in books.chunks(16) {
            let mut sized = Vec::new();
            for (pair, opening) in some {
                let sides = [pair.writer, pair.holder].map(|index| self.venue.account(index));
                let [writer, holder] = sides;
                let share = opening.affordable_ppm(market, [writer?, holder?], pair.capital_ppm)?;
                sized.extend(share.map(|share_ppm| (pair, opening.shrunk(share_ppm))));
            }
            let opened = &mut self.tally.opened;
            let trace = self.venue.post(market, time, |posting| {
                for (pair, opening) in &sized {
                    let fills = opening.fills(market, [pair.writer, pair.holder])?;
                    *opened += usize::from(posting.trade(&fills).is_ok());
                }
                Ok(())
            })?;
            self.tally.batches += usize::from(trace.is_some());
        }
        Ok(())
    }

    /// The next books of pairs whose last options expire at `time`.
    pub(super) fn list_rolls(&mut self, time: Time) -> Result<Vec<(Pair, Opening)>, StressError> {
        let is_flat = |feed: &Feed, account: &Account| {
            let mut held = account.positions.iter();
            account.auction.is_none() && held.all(|(index, _)| feed.expires_by(index, time))
        };
        let mut flat = Vec::new();
        for pair in &self.pairs {
            let sides = [self.venue.account(pair.writer)?, self.venue.account(pair.holder)?];
            flat.extend(sides.iter().all(|side| is_flat(&self.feed, side)).then_some(pair.writer));
        }
        self.list_books(time, |pair| flat.contains(&pair.writer))
    }
}
