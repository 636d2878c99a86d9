//! The argument that ties the tables together. Spec: `docs/spec/argument.md`, in the same order.
//!
//! Each table row has fixed what it claims before a challenge is squeezed. Every identity then says
//! that two rational functions agree at a random point, so they are the same function.

mod lookups;
mod open_interest;
mod risk_table;
mod transcript;

use std::collections::BTreeMap;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::nonce::WINDOW;
use zkmargin_protocol::account::{INSURANCE_FUND, fee_account};
use zkmargin_protocol::pricing::scenario::SCENARIOS;
use zkmargin_protocol::value::units::{ACCOUNT_BITS, INSTRUMENT_BITS};

use crate::account::AccountVar;
use crate::account::margin::MarginVar;
use crate::account::positions::{self, SlotVar};
use crate::account::reduction::ReductionVar;
use crate::crypto::tree::opening::OpenedNodeVar;
use crate::crypto::tree::{self, NodeVar};
use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::{Uint, power_of_two};
use crate::ledger::forced::ForcedVar;
use crate::ledger::liquidation::LiquidationVar;
use crate::ledger::open_interest::OpenInterestVar;
use crate::market::risk_row::RiskRowVar;
use crate::operation::deposit::DepositVar;
use crate::operation::request::RequestVar;
use crate::operation::trade::TradeVar;
use crate::{Cs, Wire, shifted, sum};

/// Width in bits of a number up to `most`. The identities make a multiplicity the true count; it is
/// ranged to be packed.
fn width_of(most: usize) -> u32 {
    usize::BITS - most.leading_zeros()
}

/// The rows of all tables.
pub struct Tables {
    /// Whether a forward has left its band.
    pub is_outside_band: Bool<Fr>,
    /// Touched accounts, one-sided rows first.
    pub accounts: Vec<AccountVar>,
    /// Their margin claims.
    pub margins: Vec<MarginVar>,
    /// Their excess over initial margin, 10^-12 USDC, signed.
    pub excesses: Vec<Wire>,
    /// The sides before the batch of the two-sided rows, the last of the accounts.
    pub reductions: Vec<ReductionVar>,
    /// The auctions of the same rows.
    pub liquidations: Vec<LiquidationVar>,
    /// The answers to forced requests of the same rows.
    pub forced: Vec<ForcedVar>,
    /// Trades.
    pub trades: Vec<TradeVar>,
    /// Requests of accounts.
    pub requests: Vec<RequestVar>,
    /// Deposits.
    pub deposits: Vec<DepositVar>,
    /// Tree nodes, the root first.
    pub nodes: Vec<NodeVar>,
    /// Instruments.
    pub instruments: Vec<RiskRowVar>,
    /// Who holds the instruments.
    pub open_interest: Vec<OpenInterestVar>,
    /// Nodes of the risk table above them, the root first.
    pub risk_nodes: Vec<OpenedNodeVar>,
    /// Nodes of the open-interest tree above them, the root first.
    pub interest_nodes: Vec<NodeVar>,
}

impl Tables {
    /// The two-sided rows.
    fn two_sided(&self) -> impl Iterator<Item = (&AccountVar, &ReductionVar)> {
        let first = self.accounts.len() - self.reductions.len();
        self.accounts[first..].iter().zip(&self.reductions)
    }

    /// Everything margin is claimed for: all accounts after the batch, two-sided ones before it.
    fn books(&self) -> Vec<BookSide<'_>> {
        let after = self.accounts.iter().zip(&self.margins).map(|(account, margin)| BookSide {
            is_active: &account.is_active,
            slots: &account.new_positions.slots,
            margin,
        });
        let before = self.two_sided().map(|(account, reduction)| BookSide {
            is_active: &account.is_active,
            slots: &reduction.old_slots,
            margin: &reduction.old_margin,
        });
        after.chain(before).collect()
    }
}

/// The positions of one account at one end of the batch, and the margin claimed for them.
struct BookSide<'a> {
    is_active: &'a Bool<Fr>,
    slots: &'a [SlotVar],
    margin: &'a MarginVar,
}

/// How often the rows of a table are looked up.
struct Multiplicities {
    /// By account row: signatures checked against its key.
    signatures: Vec<Uint<Fr>>,
    /// By account row: deposits credited or refused.
    deposits: Vec<Uint<Fr>>,
    /// By account row: forced reductions it is the counterparty of.
    counterparties: Vec<Uint<Fr>>,
    /// By instrument row: trades in it.
    trades: Vec<Uint<Fr>>,
    /// By instrument row: forced reductions of contracts held of it.
    reductions: Vec<Uint<Fr>>,
}

/// Ties the tables. `commitment` is that of the statement's words.
pub fn enforce_tables(cs: &mut Cs, tables: &Tables, commitment: &Wire) {
    let multiplicities = Multiplicities::count(cs, tables);
    multiplicities.enforce_opened_by_deposit(cs, tables);
    multiplicities.enforce_traded_live(cs, tables);
    let first = transcript::absorb_rows(cs, tables, &multiplicities, commitment);
    let [scenario, weight, chain] = first;
    let books = tables.books();
    let claims = InstrumentClaims::new(cs, tables, &books, &weight);
    let second = transcript::absorb_claims(cs, &chain, &claims);
    let [gamma, beta, short] = second;
    let point = Point { gamma, beta };
    enforce_tree(cs, tables, &point);
    risk_table::enforce_risk_table(cs, tables, &point);
    open_interest::enforce_interest_tree(cs, tables, &point);
    open_interest::enforce_holders(cs, tables, &point);
    let holdings = enforce_ledger(cs, tables, &point);
    enforce_reductions(cs, tables, &holdings, &point);
    enforce_nonces(cs, tables, &point);
    enforce_requests(cs, tables, &point);
    lookups::enforce_keys(cs, tables, &multiplicities, &point);
    lookups::enforce_deposit_keys(cs, tables, &multiplicities, &point);
    lookups::enforce_specs(cs, tables, &multiplicities, &point);
    lookups::enforce_counterparties(cs, tables, &multiplicities, &point);
    lookups::enforce_prices(cs, tables, &multiplicities, &point);
    claims.enforce_settlement(cs, tables, &point);
    claims.enforce_holdings(cs, tables, &books, &point, &short);
    claims.enforce_matrix(cs, tables, &books, &scenario);
}

/// The random point of the identities.
struct Point {
    gamma: Wire,
    beta: Wire,
}

impl Point {
    /// `Σ key_k · β^k`, the compressed key of a tuple.
    fn compress(&self, cs: &mut Cs, key: &[&Wire]) -> Wire {
        let (last, front) = key.split_last().expect("keys are not empty");
        let mut sum = (*last).clone();
        for part in front.iter().rev() {
            sum = cs.product("compressed key", &sum, &self.beta).plus(part);
        }
        sum
    }

    /// `numerator / (γ − key)`.
    fn fraction(&self, cs: &mut Cs, numerator: &Wire, key: &Wire) -> Wire {
        let denominator = self.gamma.minus(key);
        // A zero denominator has a chance of 2^-240; the constraint then fails for a numerator that
        // is not zero.
        let inverse = denominator.value().inverse().unwrap_or(Fr::ZERO);
        let fraction = cs.witness("fraction", numerator.value() * inverse);
        cs.enforce("fraction", &fraction, &denominator, numerator);
        fraction
    }

    /// A fraction that counts only while the flag is set. The flag comes after the fraction: what a
    /// row in padding says of numerator and key need not be fixed before the point, and changes
    /// nothing.
    fn fraction_if(&self, cs: &mut Cs, flag: &Bool<Fr>, numerator: &Wire, key: &Wire) -> Wire {
        if cs.is_planted("flag before its fraction") {
            let numerator = cs.product("numerator of a row in use", flag.lc(), numerator);
            return self.fraction(cs, &numerator, key);
        }
        let fraction = self.fraction(cs, numerator, key);
        cs.product("fraction of a row in use", flag.lc(), &fraction)
    }
}

impl Multiplicities {
    fn count(cs: &mut Cs, tables: &Tables) -> Self {
        let mut signatures = BTreeMap::new();
        let mut deposits = BTreeMap::new();
        let mut trades = BTreeMap::new();
        let [mut counterparties, mut reductions] = [BTreeMap::new(), BTreeMap::new()];
        let bump = |map: &mut BTreeMap<Fr, u128>, is_active: bool, key: &Wire| {
            if is_active {
                *map.entry(key.value()).or_default() += 1;
            }
        };
        for trade in &tables.trades {
            let is_active = trade.fill.is_active.value();
            bump(&mut signatures, is_active, &trade.buy.account);
            bump(&mut signatures, is_active, &trade.sell.account);
            bump(&mut trades, is_active, &trade.fill.instrument);
        }
        for request in &tables.requests {
            bump(&mut signatures, request.is_active.value(), &request.account);
        }
        for deposit in &tables.deposits {
            bump(&mut deposits, deposit.is_active.value(), &deposit.account);
        }
        for ForcedVar { reduction, .. } in &tables.forced {
            bump(&mut counterparties, reduction.is_asked.value(), &reduction.counterparty.index);
            bump(&mut reductions, reduction.is_held.value(), &reduction.instrument);
        }
        // Only rows in use are looked up, and each key has one of those.
        let of = |map: &BTreeMap<Fr, u128>, is_active: bool, key: &Wire| {
            if is_active { map.get(&key.value()).copied().unwrap_or(0) } else { 0 }
        };
        let [signed, deposited, traded, forced] = [
            2 * tables.trades.len() + tables.requests.len(),
            tables.deposits.len(),
            tables.trades.len(),
            tables.forced.len(),
        ]
        .map(width_of);
        let mut witness = |counts: Vec<u128>, bits: u32| -> Vec<_> {
            let counts = counts.into_iter();
            counts.map(|count| Uint::witness(cs, "multiplicity", count, bits)).collect()
        };
        let by_account = |map: &BTreeMap<Fr, u128>| -> Vec<u128> {
            tables.accounts.iter().map(|a| of(map, a.is_active.value(), &a.index)).collect()
        };
        let by_instrument = |map: &BTreeMap<Fr, u128>| -> Vec<u128> {
            let rows = tables.instruments.iter();
            rows.map(|row| of(map, row.is_active.value(), &row.instrument)).collect()
        };
        Self {
            signatures: witness(by_account(&signatures), signed),
            deposits: witness(by_account(&deposits), deposited),
            counterparties: witness(by_account(&counterparties), forced),
            trades: witness(by_instrument(&trades), traded),
            reductions: witness(by_instrument(&reductions), forced),
        }
    }

    /// Nothing settled is traded.
    fn enforce_traded_live(&self, cs: &mut Cs, tables: &Tables) {
        let zero = cs.zero();
        cs.under(Rule::InstrumentLive, |cs| {
            for (row, trades) in tables.instruments.iter().zip(&self.trades) {
                let is_settled = row.is_settled.lc();
                cs.enforce("nothing settled is traded", is_settled, trades.lc(), &zero);
            }
        });
    }

    /// An account is opened by a deposit.
    fn enforce_opened_by_deposit(&self, cs: &mut Cs, tables: &Tables) {
        cs.under(Rule::AccountExists, |cs| {
            for (account, deposits) in tables.accounts.iter().zip(&self.deposits) {
                let opens =
                    cs.product("opened in this batch", account.is_active.lc(), account.is_new.lc());
                let inverse = deposits.lc().value().inverse().unwrap_or(Fr::ZERO) * opens.value();
                let inverse = cs.free_hint("inverse of a guarded value", inverse);
                cs.enforce("an account is opened by a deposit", deposits.lc(), &inverse, &opens);
            }
        });
    }
}

/// Every touched child of a node has a row of its own: a node, or at level 0 an account; and no row
/// is without a parent but the root.
fn enforce_tree(cs: &mut Cs, tables: &Tables, point: &Point) {
    cs.under(Rule::AccountTree, |cs| {
        let asked = touched_children(cs, "nodes", &tables.nodes, point);
        let level = cs.zero();
        let leaves = cs.rows("accounts", &tables.accounts, |cs, _, account| {
            let place = tree::place(&level, &account.index);
            let key = point.compress(cs, &[&place, &account.old_leaf, &account.new_leaf]);
            point.fraction(cs, account.is_active.lc(), &key)
        });
        cs.enforce_equal("touched children are rows", &asked, &sum(&leaves));
    });
}

/// What the nodes of a tree touch less what they are themselves: the leaves touched.
fn touched_children(cs: &mut Cs, table: &'static str, nodes: &[NodeVar], point: &Point) -> Wire {
    let rows = cs.rows(table, nodes, |cs, _, node| {
        let mut terms = Vec::new();
        for k in 0..node.old.len() {
            let place = shifted(cs, &node.first_child, Fr::from(k as u64));
            let key = point.compress(cs, &[&place, &node.old[k], &node.new[k]]);
            terms.push(point.fraction(cs, node.touched[k].lc(), &key));
        }
        let key = point.compress(cs, &[&node.place, &node.old_hash, &node.new_hash]);
        let own = point.fraction(cs, node.has_parent.lc(), &key);
        sum(&terms).minus(&own)
    });
    sum(&rows)
}

/// What an account row holds: `Σ_slots q/(γ − key)`.
struct Holdings {
    /// Before the batch, less what an auction or a forced reduction has taken.
    before: Wire,
    /// After it.
    after: Wire,
}

/// For every account and instrument, and for cash, the change equals the sum of the legs. Returns
/// what account rows hold.
fn enforce_ledger(cs: &mut Cs, tables: &Tables, point: &Point) -> Vec<Holdings> {
    cs.under(Rule::Ledger, |cs| {
        let cash = cs.constant(power_of_two(INSTRUMENT_BITS));
        let one_sided = tables.accounts.len() - tables.liquidations.len();
        let rows = cs.rows("accounts", &tables.accounts, |cs, k, account| {
            let shift = point.compress(cs, &[&cs.zero(), &account.index]);
            let change = account.new_cash.minus(&account.opening_cash());
            let cash = point.fraction(cs, &change, &cash.plus(&shift));
            let side = |cs: &mut Cs, slots: &[SlotVar]| {
                let fraction = |slot: &SlotVar| {
                    point.fraction(cs, &slot.quantity, &slot.instrument.plus(&shift))
                };
                sum(&slots.iter().map(fraction).collect::<Vec<_>>())
            };
            let after = side(cs, &account.new_positions.slots);
            let before = match k.checked_sub(one_sided) {
                Some(k) => {
                    let forced = &tables.forced[k].reduction.shares;
                    let left = positions::left(&account.opening_slots, forced);
                    side(cs, &positions::left(&left, &tables.liquidations[k].fill.shares))
                }
                None => side(cs, &account.opening_slots),
            };
            let change = cash.plus(&after).minus(&before);
            let change = cs.product("change of a row in use", account.is_active.lc(), &change);
            (change, Holdings { before, after })
        });
        let (changes, holdings): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let mut legs = trade_legs(cs, tables, point, &cash);
        legs.extend(cash_legs(cs, tables, point, &cash));
        legs.extend(auction_legs(cs, tables, point, &cash));
        let (changes, legs) = (sum(&changes), sum(&legs));
        cs.enforce_equal("changes are the legs", &changes, &legs);
        holdings
    })
}

/// Of every auction the contracts a bidder takes and the cash of all three parties, and of every
/// forced reduction those of its counterparty; what is sold has left the slots of its account
/// already. No row has both. A forced withdrawal takes cash of the same account. The insurance fund
/// also gets what does not leave of withdrawals.
fn auction_legs(cs: &mut Cs, tables: &Tables, point: &Point, cash: &Wire) -> Vec<Wire> {
    let rows: Vec<_> = tables.two_sided().zip(&tables.liquidations).collect();
    let mut legs = cs.rows("two-sided accounts", &rows, |cs, k, ((account, _), row)| {
        let (answer, forced) = (&tables.forced[k], &tables.forced[k].reduction);
        let seller = point.compress(cs, &[cash, &account.index]);
        let received = row.cash_of_account.plus(&forced.received).minus(&answer.paid);
        let mut legs = vec![point.fraction(cs, &received, &seller)];
        let taker = row.bid.bidder.plus(&forced.taker);
        let taker = point.compress(cs, &[&cs.zero(), &taker]);
        let paid = row.cash_of_bidder.minus(&forced.received);
        legs.push(point.fraction(cs, &paid, &cash.plus(&taker)));
        let shares = row.fill.shares.iter().zip(&forced.shares);
        for (slot, (sold, taken)) in account.opening_slots.iter().zip(shares) {
            legs.push(point.fraction(cs, &sold.plus(taken), &slot.instrument.plus(&taker)));
        }
        sum(&legs)
    });
    let of_auctions = tables.liquidations.iter().map(|row| &row.cash_of_fund);
    let kept = tables.requests.iter().map(|request| &request.kept);
    let kept = kept.chain(tables.forced.iter().map(|answer| &answer.kept));
    let fund = sum(of_auctions.chain(kept));
    let account = cs.constant(Fr::from(INSURANCE_FUND.get()));
    let receiver = point.compress(cs, &[cash, &account]);
    legs.push(point.fraction(cs, &fund, &receiver));
    legs
}

/// A reducing row, and any while a forward is outside of its band, holds after the batch what it
/// keeps of its slots before it, and nothing else; one whose forced reduction is refused, what it
/// held before.
fn enforce_reductions(cs: &mut Cs, tables: &Tables, holdings: &[Holdings], point: &Point) {
    let holdings = &holdings[tables.accounts.len() - tables.reductions.len()..];
    let rows: Vec<_> = tables.two_sided().zip(holdings).collect();
    let differences = cs.under(Rule::RiskReduction, |cs| {
        cs.rows("two-sided accounts", &rows, |cs, _, ((account, reduction), held)| {
            let shift = point.compress(cs, &[&cs.zero(), &account.index]);
            let mut kept = Vec::new();
            for (slot, quantity) in reduction.old_slots.iter().zip(&reduction.kept) {
                kept.push(point.fraction(cs, quantity, &slot.instrument.plus(&shift)));
            }
            let difference = held.after.minus(&sum(&kept));
            let zero = cs.zero();
            let is_reducing = reduction.is_reducing.lc();
            cs.enforce("no position has grown", is_reducing, &difference, &zero);
            difference
        })
    });
    cs.under(Rule::ForcedReduction, |cs| {
        let rows: Vec<_> = tables.forced.iter().zip(holdings).collect();
        cs.rows("two-sided accounts", &rows, |cs, _, (answer, held)| {
            let (change, zero) = (held.after.minus(&held.before), cs.zero());
            let is_refused = &answer.reduction.is_refused;
            cs.enforce("positions stay where contracts do", is_refused, &change, &zero);
        });
    });
    cs.under(Rule::PriceBand, |cs| {
        let rows: Vec<_> = tables.forced.iter().zip(&differences).collect();
        cs.rows("two-sided accounts", &rows, |cs, _, (answer, difference)| {
            let (is_outside, zero) = (tables.is_outside_band.lc(), cs.zero());
            // Positions that stay do not grow, and the row then shows others before the batch.
            let is_shown = cs.one().minus(&answer.reduction.is_refused);
            let is_watched = cs.product("row outside of the band", is_outside, &is_shown);
            cs.enforce("no position has grown after a jump", &is_watched, difference, &zero);
        });
    });
}

/// Contracts and cash of both sides of every trade, and the fees of all trades.
fn trade_legs(cs: &mut Cs, tables: &Tables, point: &Point, cash: &Wire) -> Vec<Wire> {
    let mut legs = cs.rows("trades", &tables.trades, |cs, _, trade| {
        let buyer = point.compress(cs, &[&cs.zero(), &trade.buy.account]);
        let seller = point.compress(cs, &[&cs.zero(), &trade.sell.account]);
        let instrument = &trade.fill.instrument;
        let legs = [
            point.fraction(cs, &trade.quantity, &instrument.plus(&buyer)),
            point.fraction(cs, &trade.quantity.negated(), &instrument.plus(&seller)),
            point.fraction(cs, &trade.cash_of_buyer.negated(), &cash.plus(&buyer)),
            point.fraction(cs, &trade.cash_of_seller, &cash.plus(&seller)),
        ];
        sum(&legs)
    });
    let fees: Vec<_> = tables.trades.iter().map(TradeVar::fees).collect();
    let account = cs.constant(Fr::from(fee_account().get()));
    let receiver = point.compress(cs, &[cash, &account]);
    legs.push(point.fraction(cs, &sum(&fees), &receiver));
    legs
}

/// Cash of deposits, transfers and withdrawals.
fn cash_legs(cs: &mut Cs, tables: &Tables, point: &Point, cash: &Wire) -> Vec<Wire> {
    let mut legs = Vec::new();
    for request in &tables.requests {
        let payer = point.compress(cs, &[cash, &request.account]);
        legs.push(point.fraction(cs, &request.paid.negated(), &payer));
        let recipient = request.action.recipient(cs).clone();
        let receiver = point.compress(cs, &[cash, &recipient]);
        legs.push(point.fraction(cs, &request.transferred, &receiver));
    }
    for deposit in &tables.deposits {
        let receiver = point.compress(cs, &[cash, &deposit.account]);
        legs.push(point.fraction(cs, &deposit.credited, &receiver));
    }
    legs
}

/// The nonces newly used are those of the signed operations.
fn enforce_nonces(cs: &mut Cs, tables: &Tables, point: &Point) {
    cs.under(Rule::Nonce, |cs| {
        let used = cs.rows("accounts", &tables.accounts, |cs, _, account| {
            let base = point.compress(cs, &[&account.nonces.base, &account.index]);
            let fractions: Vec<_> = (0..WINDOW)
                .zip(&account.nonces.newly_used)
                .map(|(k, bit)| {
                    let key = shifted(cs, &base, Fr::from(k));
                    point.fraction(cs, bit.lc(), &key)
                })
                .collect();
            cs.product("nonces of a row in use", account.is_active.lc(), &sum(&fractions))
        });
        let mut signed = Vec::new();
        for trade in &tables.trades {
            for order in [&trade.buy, &trade.sell] {
                let key = point.compress(cs, &[&order.nonce, &order.account]);
                signed.push(point.fraction(cs, trade.fill.is_active.lc(), &key));
            }
        }
        for request in &tables.requests {
            let key = point.compress(cs, &[&request.nonce, &request.account]);
            signed.push(point.fraction(cs, request.is_active.lc(), &key));
        }
        let (used, signed) = (sum(&used), sum(&signed));
        cs.enforce_equal("nonces used are those signed", &used, &signed);
    });
}

/// The accounts whose keys or nonce base change are those that asked for it, and they change to
/// what was asked for.
fn enforce_requests(cs: &mut Cs, tables: &Tables, point: &Point) {
    cs.under(Rule::AccountRequests, |cs| {
        let mut asked = Vec::new();
        for request in &tables.requests {
            let [place, first, second, third] = request.action.change(cs, &request.account);
            let key = point.compress(cs, &[&place, &first, &second, &third]);
            let is_asked = request.is_active.and(cs, &request.action.changes_account);
            asked.push(point.fraction(cs, is_asked.lc(), &key));
        }
        let rows: Vec<_> = tables.two_sided().zip(&tables.liquidations).collect();
        let bid = cs.rows("two-sided accounts", &rows, |cs, _, ((account, _), row)| {
            let place = shifted(cs, &row.bid.bidder, power_of_two(ACCOUNT_BITS + 1));
            let key = point.compress(cs, &[&place, &row.bid.word(&account.index)]);
            point.fraction(cs, row.step.is_bid.lc(), &key)
        });
        let one_sided = tables.accounts.len() - tables.forced.len();
        let changed = cs.rows("accounts", &tables.accounts, |cs, k, account| {
            let [x, y, view_key] = account.new_keys.elements();
            let rekeyed = point.compress(cs, &[&account.index, x, y, view_key]);
            let rekeyed = point.fraction(cs, account.is_rekeyed.lc(), &rekeyed);
            let nonces = &account.nonces;
            let place = shifted(cs, &account.index, power_of_two(ACCOUNT_BITS));
            let cancelled = point.compress(cs, &[&place, &nonces.new_base, &nonces.base]);
            // A forced cancel-all is shown in the row itself.
            let is_asked = match k.checked_sub(one_sided) {
                Some(k) => nonces.is_cancelled.lc().minus(&tables.forced[k].is_voided),
                None => nonces.is_cancelled.lc().clone(),
            };
            let cancelled = point.fraction(cs, &is_asked, &cancelled);
            let changed = rekeyed.plus(&cancelled);
            cs.product("changes of a row in use", account.is_active.lc(), &changed)
        });
        let (asked, changed) = (sum(&asked), sum(changed.iter().chain(&bid)));
        cs.enforce_equal("changes are those asked for", &asked, &changed);
    });
}

/// What is held of each instrument, weighted by side of a book.
struct InstrumentClaims {
    /// `w^k` of side `k`, 0 in padding.
    weights: Vec<Wire>,
    /// By instrument row: `Σ_k weight_k · quantity`.
    held: Vec<Wire>,
    /// By instrument row: `Σ_k weight_k · short quantity`.
    short: Vec<Wire>,
    /// By instrument row: `Σ_k weight_k · quantity settled`, over the account rows.
    settled: Vec<Wire>,
}

impl InstrumentClaims {
    /// Row weights, and the claims; the claims are bound by [`Self::enforce_holdings`].
    fn new(cs: &mut Cs, tables: &Tables, books: &[BookSide], weight: &Wire) -> Self {
        let mut power = cs.one();
        let mut weights = Vec::new();
        for side in books {
            weights.push(cs.product("weight of a row in use", side.is_active.lc(), &power));
            power = cs.product("power of the weight", &power, weight);
        }
        let sums = hint_holdings(books, &weights);
        let gone = hint_settled(tables, &weights);
        let (mut held, mut short, mut settled) = (Vec::new(), Vec::new(), Vec::new());
        for row in &tables.instruments {
            let (is_active, instrument) = (row.is_active.value(), row.instrument.value());
            let found = sums.get(&instrument).filter(|_| is_active);
            let (long, written) = found.copied().unwrap_or_default();
            let gone = gone.get(&instrument).filter(|_| is_active).copied();
            held.push(cs.argued("weighted holding", long));
            short.push(cs.argued("weighted short holding", written));
            settled.push(cs.argued("weighted settled quantity", gone.unwrap_or_default()));
        }
        Self { weights, held, short, settled }
    }

    /// What is settled is the whole of what was held of settled instruments and nothing else, at
    /// their mark.
    fn enforce_settlement(&self, cs: &mut Cs, tables: &Tables, point: &Point) {
        cs.under(Rule::Settlement, |cs| {
            let rows: Vec<_> = tables.accounts.iter().zip(&self.weights).collect();
            let rows = cs.rows("accounts", &rows, |cs, _, (account, weight)| {
                let settlement = &account.settlement;
                let slots = account.old_positions.slots.iter().zip(&settlement.settled);
                let fractions: Vec<_> =
                    slots.map(|(slot, gone)| point.fraction(cs, gone, &slot.instrument)).collect();
                let gone = cs.product("weighted settled slots", weight, &sum(&fractions));
                (gone, cs.product("weighted settlement cash", weight, &settlement.cash))
            });
            let (slots, paid): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            let (mut claims, mut due) = (Vec::new(), Vec::new());
            let zero = cs.zero();
            for (k, row) in tables.instruments.iter().enumerate() {
                let is_live = row.is_settled.not(cs);
                cs.enforce("nothing live is settled", &self.settled[k], is_live.lc(), &zero);
                let left = &self.held[k];
                cs.enforce("nothing settled is left", left, row.is_settled.lc(), &zero);
                let gone =
                    cs.product("settled of a row in use", row.is_active.lc(), &self.settled[k]);
                claims.push(point.fraction(cs, &gone, &row.instrument));
                due.push(cs.product("cash due", &gone, &row.mark));
            }
            let (slots, claims) = (sum(&slots), sum(&claims));
            cs.enforce_equal("positions settled are rows of the table", &slots, &claims);
            let (paid, due) = (sum(&paid), sum(&due));
            cs.enforce_equal("settled positions are paid at their mark", &paid, &due);
        });
    }

    /// The claims are the weighted sums over all slots, so every instrument held is a row of the
    /// table.
    fn enforce_holdings(
        &self,
        cs: &mut Cs,
        tables: &Tables,
        books: &[BookSide],
        point: &Point,
        mix: &Wire,
    ) {
        cs.under(Rule::InstrumentLive, |cs| {
            let rows: Vec<_> = books.iter().zip(&self.weights).collect();
            let slots = cs.rows("accounts", &rows, |cs, _, (side, weight)| {
                let mut fractions = Vec::new();
                for slot in side.slots {
                    let mixed = cs.product("mixed holding", mix, &slot.short).plus(&slot.quantity);
                    fractions.push(point.fraction(cs, &mixed, &slot.instrument));
                }
                cs.product("weighted holdings", weight, &sum(&fractions))
            });
            let mut claims = Vec::new();
            for (k, row) in tables.instruments.iter().enumerate() {
                let mixed = cs.product("mixed claim", mix, &self.short[k]).plus(&self.held[k]);
                let mixed = cs.product("claim of a row in use", row.is_active.lc(), &mixed);
                claims.push(point.fraction(cs, &mixed, &row.instrument));
            }
            let (slots, claims) = (sum(&slots), sum(&claims));
            cs.enforce_equal("positions held are rows of the table", &slots, &claims);
        });
    }

    /// Losses, mark values and short charges claimed by the accounts are those of the table.
    fn enforce_matrix(&self, cs: &mut Cs, tables: &Tables, books: &[BookSide], scenario: &Wire) {
        cs.under(Rule::MarginMatrix, |cs| {
            let mut powers = vec![cs.one()];
            for k in 0..SCENARIOS + 3 {
                powers.push(cs.product("power of the scenario point", &powers[k], scenario));
            }
            let rows: Vec<_> = books.iter().zip(&self.weights).collect();
            let accounts = cs.rows("accounts", &rows, |cs, _, (side, weight)| {
                let margin = side.margin;
                let mut values = margin.losses();
                values.extend([
                    margin.mark_value.clone(),
                    margin.short_floor(),
                    margin.isolated_initial.clone(),
                    margin.isolated_maintenance.clone(),
                ]);
                let value = inner_product(cs, &powers, &values);
                cs.product("weighted claims", weight, &value)
            });
            let rows: Vec<_> = (0..tables.instruments.len()).collect();
            let table = cs.rows("instruments", &rows, |cs, _, &k| {
                let row = &tables.instruments[k];
                let mut values = row.losses.clone();
                values.push(row.mark.clone());
                let per_unit = inner_product(cs, &powers[..=SCENARIOS], &values);
                let charges =
                    [&row.short_minimum, &row.isolated_initial, &row.isolated_maintenance];
                let charges = charges.map(Clone::clone);
                let per_short = inner_product(cs, &powers[SCENARIOS + 1..], &charges);
                let held = cs.product("value held", &self.held[k], &per_unit);
                let short = cs.product("charges of shorts", &self.short[k], &per_short);
                cs.product("value of a row in use", row.is_active.lc(), &held.plus(&short))
            });
            let (accounts, table) = (sum(&accounts), sum(&table));
            cs.enforce_equal("claims are the table's", &accounts, &table);
        });
    }
}

/// `Σ power_k · value_k`.
fn inner_product(cs: &mut Cs, powers: &[Wire], values: &[Wire]) -> Wire {
    debug_assert_eq!(powers.len(), values.len());
    let products: Vec<_> = powers
        .iter()
        .zip(values)
        .map(|(power, value)| cs.product("weighted by scenario", power, value))
        .collect();
    sum(&products)
}

/// Weighted sums of quantity and short quantity by instrument.
fn hint_holdings(books: &[BookSide], weights: &[Wire]) -> BTreeMap<Fr, (Fr, Fr)> {
    let mut sums: BTreeMap<Fr, (Fr, Fr)> = BTreeMap::new();
    for (side, weight) in books.iter().zip(weights) {
        for slot in side.slots {
            let sum = sums.entry(slot.instrument.value()).or_default();
            sum.0 += weight.value() * slot.quantity.value();
            sum.1 += weight.value() * slot.short.value();
        }
    }
    sums
}

/// Weighted sums of settled quantity by instrument.
fn hint_settled(tables: &Tables, weights: &[Wire]) -> BTreeMap<Fr, Fr> {
    let mut sums: BTreeMap<Fr, Fr> = BTreeMap::new();
    for (account, weight) in tables.accounts.iter().zip(weights) {
        for (slot, gone) in account.old_positions.slots.iter().zip(&account.settlement.settled) {
            *sums.entry(slot.instrument.value()).or_default() += weight.value() * gone.value();
        }
    }
    sums
}
