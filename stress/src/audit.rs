//! What must hold whatever happens: nothing comes or goes.

use std::collections::BTreeMap;

use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::value::units::InstrumentIndex;

use crate::StressError;

/// Cash of all accounts, with settled positions as cash, is what was deposited, and so is what the
/// state says L1 holds; the deficit it states is that of the accounts; of every option as much is
/// held as written.
///
/// # Errors
/// [`StressError::Conservation`] with what does not add up.
pub fn check_conservation(
    state: &State,
    market: &Market,
    deposited: i128,
) -> Result<(), StressError> {
    let mut cash = 0;
    let mut held: BTreeMap<InstrumentIndex, i128> = BTreeMap::new();
    for account in state.accounts().values() {
        cash += i128::from(account.cash);
        for (instrument, quantity) in account.positions.iter() {
            *held.entry(instrument).or_default() += i128::from(quantity);
        }
    }
    let settled = |(instrument, sum): (&InstrumentIndex, &i128)| {
        let row = market.rows().get(instrument).filter(|row| row.is_settled);
        row.map_or(0, |row| sum * i128::from(row.mark))
    };
    let with_settled = cash + held.iter().map(settled).sum::<i128>();
    let accounts = state.accounts().values().filter_map(|account| account.auction);
    let counted = accounts.map(|auction| auction.counted()).sum::<i128>();
    let (held_on_l1, deficit) = (state.custody().held(), state.custody().deficit());
    if held_on_l1 != deposited || deficit != counted {
        let text = format!("held {held_on_l1} of {deposited}, deficit {deficit} of {counted}");
        return Err(StressError::Conservation(text));
    }
    if with_settled != deposited || cash != deposited {
        let text = format!("cash {cash}, with settled {with_settled}, deposited {deposited}");
        return Err(StressError::Conservation(text));
    }
    match held.into_iter().find(|&(_, sum)| sum != 0) {
        Some((index, sum)) => {
            Err(StressError::Conservation(format!("sum of option {index}: {sum}")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkmargin_fixtures::build::{account_index, market, small_state};
    use zkmargin_protocol::ledger::state::Snapshot;
    use zkmargin_protocol::value::custody::Custody;
    use zkmargin_protocol::value::units::Quantity;

    /// The small state has two contracts that nobody wrote.
    #[test]
    fn conservation_is_refused_for_a_unit_of_cash_a_contract_or_a_deficit_too_many() {
        let market = market(2, 1);
        let mut snapshot = small_state(&market).snapshot();
        let accounts = snapshot.accounts.values();
        let total: i128 = accounts.map(|found| i128::from(found.cash)).sum();
        snapshot.custody = Custody::new(total, 0).unwrap();
        let text = |snapshot: &Snapshot, total| {
            let state = State::new(snapshot.clone()).unwrap();
            check_conservation(&state, &market, total).map_err(|error| error.to_string())
        };
        assert!(text(&snapshot, total).unwrap_err().starts_with("conservation: sum of option"));
        let first = *market.rows().keys().next().unwrap();
        let writer = snapshot.accounts.get_mut(&account_index(3)).unwrap();
        let book = writer.book.underlying;
        writer.positions.add(book, first, Quantity::new(-2_000).unwrap()).unwrap();
        assert_eq!(text(&snapshot, total), Ok(()));
        assert!(text(&snapshot, total + 1).is_err() && text(&snapshot, total - 1).is_err());
        let custody = Custody::new(total, 1).unwrap();
        let owing = Snapshot { custody, ..snapshot };
        assert!(text(&owing, total).unwrap_err().contains("deficit 1 of 0"));
    }
}
