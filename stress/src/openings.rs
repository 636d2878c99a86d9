//! What a book costs and how much of it two accounts can afford.

use zkmargin_protocol::account::margin::{Margin, evaluate};
use zkmargin_protocol::account::positions::Slot;
use zkmargin_protocol::account::{Account, Book};
use zkmargin_protocol::market::Market;
use zkmargin_protocol::value::units::{AccountIndex, Cash, InstrumentIndex, PPM, Quantity};

use crate::StressError;
use crate::venue::Fill;

/// Capital of holders beside the premium they pay, as a share of initial margin, parts per million.
const HOLDER_PPM: u32 = 1_200_000;
/// A book of less than this share of its size is not worth opening.
const LEAST_PPM: i128 = 50_000;

/// A book to be opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Options and contracts for each of the size, as the writer has them.
    pub legs: Vec<(InstrumentIndex, i64)>,
    /// Size, 1/1000 contracts.
    pub size_e3: i64,
}

impl Opening {
    /// Contracts of the writer (1) or the holder (-1).
    fn positions(&self, side: i64) -> Result<Vec<Slot>, StressError> {
        let slot = |&(index, ratio): &(InstrumentIndex, i64)| {
            Ok((index, Quantity::new(side * ratio * self.size_e3)?))
        };
        self.legs.iter().map(slot).collect()
    }

    fn margins(&self, market: &Market, book: Book) -> Result<[Margin; 2], StressError> {
        let margin = |side| {
            let positions = self.positions(side)?.into_iter();
            let (rows, parameters) = (market.rows(), market.parameters());
            Ok::<_, StressError>(evaluate(Cash::MIN, positions, rows, parameters, book.method)?)
        };
        Ok([margin(1)?, margin(-1)?])
    }

    /// Cash that writer and holder need: the writer a multiple of initial margin, the holder that
    /// and the premium, so that what it holds is paid in full.
    ///
    /// # Errors
    /// Those of the margin.
    pub fn needs(
        &self,
        market: &Market,
        book: Book,
        capital_ppm: u32,
    ) -> Result<[i128; 2], StressError> {
        let [writer, holder] = self.margins(market, book)?;
        let times = |initial: i128, ppm: u32| initial * i128::from(ppm) / i128::from(PPM) + 1;
        let premium = holder.mark_value.max(0);
        Ok([times(writer.initial, capital_ppm), times(holder.initial, HOLDER_PPM) + premium])
    }

    /// The share of the book that both can afford, at most all; `None` if that is too little.
    ///
    /// # Errors
    /// Those of the margin.
    pub fn affordable_ppm(
        &self,
        market: &Market,
        sides: [&Account; 2],
        capital_ppm: u32,
    ) -> Result<Option<i128>, StressError> {
        let needs = self.needs(market, sides[0].book, capital_ppm)?;
        let share = |(side, need): (&Account, i128)| {
            i128::from(side.cash).max(0) * i128::from(PPM) / need.max(1)
        };
        let least = sides.into_iter().zip(needs).map(share).fold(i128::from(PPM), i128::min);
        Ok((least >= LEAST_PPM).then_some(least))
    }

    /// A share of the book.
    pub fn shrunk(&self, share_ppm: i128) -> Self {
        let size_e3 = i128::from(self.size_e3) * share_ppm / i128::from(PPM);
        Self { legs: self.legs.clone(), size_e3: i64::try_from(size_e3).unwrap_or(0).max(1) }
    }

    /// The trades between writer and holder at the marks.
    ///
    /// # Errors
    /// [`StressError::Data`] for an option without a row.
    pub fn fills<'a>(
        &self,
        market: &'a Market,
        [writer, holder]: [AccountIndex; 2],
    ) -> Result<Vec<Fill<'a>>, StressError> {
        let fill = |(index, held): Slot| {
            let row = market.rows().get(&index);
            let row = row.ok_or_else(|| StressError::data("no row of option", index))?;
            let sides = if held.get() > 0 { [writer, holder] } else { [holder, writer] };
            Ok(Fill { sides, row, quantity: Quantity::new(held.get().abs())? })
        };
        self.positions(1)?.into_iter().map(fill).collect()
    }
}
