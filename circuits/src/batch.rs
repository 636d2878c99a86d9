//! The batch circuit. Spec: `docs/spec/batch/statement.md`.

pub mod argument;
mod custody;
pub mod statement;
pub mod witness;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::Margin;
use zkmargin_protocol::batch::statement as protocol_statement;
use zkmargin_protocol::batch::trace::{BatchTrace, InstrumentRow};
use zkmargin_protocol::crypto::tree::NodeUpdate;
use zkmargin_protocol::crypto::tree::opening::OpenedNode;

use crate::account::margin::{RowMarginVar, enforce_initial};
use crate::account::price_band;
use crate::account::{AccountInput, AccountVar};
use crate::batch::argument::tables::Tables;
use crate::batch::statement::PublicVar;
use crate::batch::witness::BatchInput;
use crate::crypto::tree::opening::{self, OpenedNodeVar};
use crate::crypto::tree::{self, NodeVar};
use crate::gadgets::element::Element;
use crate::ledger::open_interest::OpenInterestVar;
use crate::ledger::two_sided::{TwoSidedInput, TwoSidedVar};
use crate::market::oracle;
use crate::market::parameters::ParametersVar;
use crate::market::risk_row::RiskRowVar;
use crate::operation::deposit::{DepositInput, DepositVar};
use crate::operation::fill::TradeInput;
use crate::operation::request::{RequestInput, RequestVar};
use crate::operation::trade::TradeVar;
use crate::value::header::HeaderVar;
use crate::{Cs, Wire};

/// The three public inputs: commitment `C`, challenge `r`, evaluation `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchPublic {
    /// Poseidon commitment to the statement's words.
    pub commitment: Fr,
    /// Challenge, a hash of domain, commitment and words.
    pub point: Fr,
    /// `Σ words_k · point^k`.
    pub evaluation: Fr,
}

impl BatchPublic {
    /// The public inputs of a trace at a challenge: for tests and shapes, where no contract derives
    /// `r`.
    pub fn at(trace: &BatchTrace, point: Fr) -> Self {
        Self::stating(&trace.words(), point)
    }

    /// The public inputs of these words at a challenge.
    pub fn stating(words: &[Fr], point: Fr) -> Self {
        let evaluation = words.iter().rev().fold(Fr::ZERO, |sum, word| sum * point + word);
        Self { commitment: protocol_statement::commitment(words), point, evaluation }
    }
}

/// The whole statement about one batch, in the order of `docs/spec/batch/statement.md`.
pub fn synthesize(cs: &mut Cs, public: &BatchPublic, trace: &BatchTrace) {
    let input = BatchInput::from_trace(trace);
    let public = PublicVar::new(cs, public.commitment, public.point, public.evaluation);
    let header = HeaderVar::new(cs, &trace.header());
    let parameters = ParametersVar::open(cs, &trace.parameters, &header);
    parameters.enforce_effective(cs, &header);
    oracle::enforce_age(cs, &header, &parameters);
    oracle::enforce_order(cs, &header);
    oracle::enforce_quorum(cs, &trace.oracle, &trace.attestation, &header);
    let deposits = deposits(cs, &input.deposits);
    let trades = trades(cs, &input.trades, &header, &parameters);
    let requests = requests(cs, &input.requests, &header);
    let (instruments, open_interest) = instruments(cs, &input.instruments, &header);
    let (accounts, account_words) = accounts(cs, &input.accounts);
    let margins = margins(cs, &input.margins, &accounts, &parameters);
    let first_two_sided = accounts.len() - input.two_sided.len();
    enforce_one_sided(cs, &accounts[..first_two_sided], &margins, &header);
    let rows = &accounts[first_two_sided..];
    let of_rows = &margins[first_two_sided..];
    let two_sided = two_sided(cs, &input.two_sided, rows, of_rows, &parameters, &header);
    let nodes = nodes(cs, &input.nodes, &header);
    let risk_nodes = risk_nodes(cs, &input.risk_nodes, &header);
    let interest_nodes = interest_nodes(cs, &input.interest_nodes, &header);
    header.custody().enforce_after(cs, &deposits, &requests, &two_sided, &accounts[0]);
    let account_words = statement::with_answers(cs, account_words, &two_sided);
    let words = words(cs, &header, &deposits, &requests, account_words);
    let commitment = public.enforce_statement(cs, &words);
    let tables = Tables {
        is_outside_band: header.is_outside_band().clone(),
        accounts,
        margins,
        two_sided,
        trades,
        requests,
        deposits,
        nodes,
        instruments,
        open_interest,
        risk_nodes,
        interest_nodes,
    };
    argument::enforce_tables(cs, &tables, &commitment);
}

fn deposits(cs: &mut Cs, deposits: &[Option<DepositInput>]) -> Vec<DepositVar> {
    cs.rows("deposits", deposits, |cs, _, deposit| DepositVar::new(cs, deposit.as_ref()))
}

fn trades(
    cs: &mut Cs,
    trades: &[TradeInput],
    header: &HeaderVar,
    parameters: &ParametersVar,
) -> Vec<TradeVar> {
    cs.rows("trades", trades, |cs, _, trade| TradeVar::new(cs, trade, header, parameters.fees()))
}

fn requests(cs: &mut Cs, requests: &[RequestInput], header: &HeaderVar) -> Vec<RequestVar> {
    cs.rows("requests", requests, |cs, _, request| RequestVar::new(cs, request, header))
}

/// The instruments' rows of the risk table, and who holds them.
fn instruments(
    cs: &mut Cs,
    rows: &[Option<InstrumentRow>],
    header: &HeaderVar,
) -> (Vec<RiskRowVar>, Vec<OpenInterestVar>) {
    let rows = cs.rows("instruments", rows, |cs, _, input| {
        let row = RiskRowVar::new(cs, input.as_ref().map(|row| &row.risk), header);
        let held = OpenInterestVar::new(cs, input.as_ref(), &row);
        (row, held)
    });
    rows.into_iter().unzip()
}

/// The account rows, one-sided ones first, and their words of the statement.
fn accounts(cs: &mut Cs, accounts: &[AccountInput]) -> (Vec<AccountVar>, Vec<Vec<Wire>>) {
    let rows = cs.rows("accounts", accounts, |cs, _, input| {
        let account = AccountVar::new(cs, input);
        let words = statement::account_words(cs, &account);
        (account, words)
    });
    rows.into_iter().unzip()
}

/// The margin of every account row after the batch.
fn margins(
    cs: &mut Cs,
    margins: &[Margin],
    accounts: &[AccountVar],
    parameters: &ParametersVar,
) -> Vec<RowMarginVar> {
    let factor = parameters.initial_factor_ppm();
    cs.rows("accounts", margins, |cs, k, margin| {
        let (cash, is_standard) = (accounts[k].new_cash(), accounts[k].book().is_standard());
        RowMarginVar::new(cs, margin, cash, is_standard, factor)
    })
}

/// One-sided rows cover initial margin.
fn enforce_one_sided(
    cs: &mut Cs,
    accounts: &[AccountVar],
    margins: &[RowMarginVar],
    header: &HeaderVar,
) {
    cs.rows("accounts", accounts, |cs, k, account| {
        enforce_initial(cs, account.is_active(), margins[k].excess());
        price_band::enforce_one_sided(cs, account, header);
    });
}

/// The two-sided rows, with their accounts and margins after the batch.
fn two_sided(
    cs: &mut Cs,
    inputs: &[TwoSidedInput],
    accounts: &[AccountVar],
    margins: &[RowMarginVar],
    parameters: &ParametersVar,
    header: &HeaderVar,
) -> Vec<TwoSidedVar> {
    cs.rows("two-sided accounts", inputs, |cs, k, input| {
        TwoSidedVar::new(cs, input, &accounts[k], &margins[k], parameters, header)
    })
}

/// The nodes of the account tree, the root first.
fn nodes(cs: &mut Cs, updates: &[Option<NodeUpdate>], header: &HeaderVar) -> Vec<NodeVar> {
    let roots = [header.old_root(), header.new_root()];
    cs.under(Rule::AccountTree, |cs| updated(cs, "nodes", updates, tree::ACCOUNTS, roots))
}

/// The nodes of the open-interest tree, the root first.
fn interest_nodes(cs: &mut Cs, updates: &[Option<NodeUpdate>], header: &HeaderVar) -> Vec<NodeVar> {
    let roots = [header.old_interest_root(), header.new_interest_root()];
    let (table, tree) = ("interest nodes", tree::INSTRUMENTS);
    cs.under(Rule::IndexReuse, |cs| updated(cs, table, updates, tree, roots))
}

/// The nodes of a tree between two roots, which are the header's.
fn updated(
    cs: &mut Cs,
    table: &'static str,
    updates: &[Option<NodeUpdate>],
    tree: tree::Extent,
    [old_root, new_root]: [&Element; 2],
) -> Vec<NodeVar> {
    let nodes = cs.rows(table, updates, |cs, k, update| match (k, update) {
        (0, update) => NodeVar::root(cs, update.as_ref().unwrap_or(&tree::PADDING), tree),
        (_, update) => NodeVar::below_root(cs, update.as_ref(), tree),
    });
    cs.enforce_equal("root before", nodes[0].old_hash(), old_root);
    cs.enforce_equal("root after", nodes[0].new_hash(), new_root);
    nodes
}

/// The nodes of the risk table, the root first, which is the header's.
fn risk_nodes(cs: &mut Cs, nodes: &[Option<OpenedNode>], header: &HeaderVar) -> Vec<OpenedNodeVar> {
    cs.under(Rule::InstrumentLive, |cs| {
        let nodes = cs.rows("risk nodes", nodes, |cs, k, node| match (k, node) {
            (0, node) => OpenedNodeVar::root(cs, node.as_ref().unwrap_or(&opening::PADDING)),
            (_, node) => OpenedNodeVar::below_root(cs, node.as_ref()),
        });
        cs.enforce_equal("root of the risk table", nodes[0].hash(), header.risk_root());
        nodes
    })
}

/// The words of the statement: header, deposits, withdrawals, accounts.
fn words(
    cs: &Cs,
    header: &HeaderVar,
    deposits: &[DepositVar],
    requests: &[RequestVar],
    accounts: Vec<Vec<Wire>>,
) -> Vec<Wire> {
    let mut words = header.words(cs);
    words.extend(deposits.iter().flat_map(|deposit| deposit.words().iter().cloned()));
    words.extend(requests.iter().map(|request| request.word().lc().clone()));
    words.extend(accounts.into_iter().flatten());
    words
}
