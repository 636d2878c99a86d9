//! Twin of `protocol::account`: one touched account, before and after the batch.

pub mod auction;
pub mod auction_step;
pub mod margin;
pub mod nonce;
pub mod positions;
pub mod price_band;
pub mod reduction;
pub mod settlement;
pub mod standing;

use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::auction::AUCTION_BITS;
use zkmargin_protocol::account::positions::Positions;
use zkmargin_protocol::account::settlement::Settlement;
use zkmargin_protocol::account::{Account, Book, STATUS};
use zkmargin_protocol::crypto::babyjubjub::Point;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::value::units::{ACCOUNT_BITS, AccountIndex, CASH_BITS, UNDERLYING_BITS};

use crate::account::auction::AuctionVar;
use crate::account::nonce::{NonceInput, NonceWindowVar};
use crate::account::positions::{CanonicalVar, PositionsVar, SlotVar};
use crate::account::settlement::SettlementVar;
use crate::crypto::{eddsa, poseidon};
use crate::gadgets::boolean::Bool;
use crate::gadgets::curve::PointVar;
use crate::gadgets::element::{Element, Unranged};
use crate::gadgets::integer::{Int, Signed, Uint};
use crate::market::fee_schedule::TierVar;
use crate::value::packing::{pack, pack_as};
use crate::{Cs, Wire, shifted};

/// What the witness of one account row is made from.
#[derive(Clone, Debug)]
pub struct AccountInput {
    /// Whether the row is in use.
    pub is_active: bool,
    /// Whether the batch opens the account.
    pub is_new: bool,
    /// Index.
    pub index: AccountIndex,
    /// Before the batch; for a new account [`Account::open`] with the keys and book of its deposit.
    pub old: Account,
    /// What settled positions turned into, before anything else.
    pub settlement: Settlement,
    /// After the batch.
    pub new: Account,
    /// Nonces used by the batch, bit `k` for `old.nonces.base + k`.
    pub nonces_used: u64,
    /// Whether the account asks for other keys.
    pub is_rekeyed: bool,
    /// Whether the account cancels all its orders.
    pub is_cancelled: bool,
    /// Whether the row may hold an account in auction.
    pub is_two_sided: bool,
}

impl AccountInput {
    fn nonces(&self) -> NonceInput {
        NonceInput {
            old: self.old.nonces,
            used: self.nonces_used,
            cancelled_to: self.is_cancelled.then_some(self.new.nonces.base),
        }
    }
}

/// One account before and after.
#[derive(Getters)]
pub struct AccountVar {
    /// Whether the row is in use.
    is_active: Bool,
    /// Whether the batch opens the account.
    is_new: Bool,
    /// Index; 0 in padding, as the statement has it.
    index: Uint,
    /// Signing key and view key before the batch, or those the account is opened with.
    old_keys: KeysVar,
    /// Both after the batch.
    new_keys: KeysVar,
    /// Whether the account asks for other keys; `argument` asks for its request.
    is_rekeyed: Bool,
    /// Underlying and method.
    book: BookVar,
    /// Cash before.
    old_cash: Int,
    /// What of the positions before is settled.
    settlement: SettlementVar,
    /// What settlement leaves of the slots before.
    opening_slots: Vec<SlotVar>,
    /// Cash after.
    new_cash: Int,
    /// Auctions before and after, in two-sided rows.
    auctions: Option<[AuctionVar; 2]>,
    /// Tier before the batch, the first of a new account.
    old_tier: TierVar,
    /// Nonces before and after.
    nonces: NonceWindowVar,
    /// Positions before.
    old_positions: PositionsVar,
    /// Positions after.
    new_positions: PositionsVar,
    /// Whether they use all slots.
    is_full: Bool,
    /// Leaf of the content before; a new account's is what it is opened with.
    opened_leaf: Element,
    /// Leaf before; 0 for a new account.
    old_leaf: Element,
    /// Leaf after; 0 in padding, as the statement has it.
    new_leaf: Element,
    /// The elements of the new leaf that are encrypted.
    secret_words: Vec<Uint>,
}

/// The keys of a leaf.
#[derive(Getters)]
pub struct KeysVar {
    /// Signing key.
    key: PointVar,
    /// View key.
    view_key: Element,
}

impl KeysVar {
    fn external(cs: &mut Cs, account: &Account) -> Self {
        Self {
            key: PointVar::external(cs, "account key", &account.key.point()),
            view_key: Element::external(cs, "view key", account.view_key),
        }
    }

    /// Keys of the new leaf: the old ones, or those of a request.
    fn argued(cs: &mut Cs, account: &Account) -> Self {
        let Point { x, y } = account.key.point();
        let [x, y] = [x, y].map(|coordinate| cs.argued("new account key", coordinate));
        let view_key = Element::argued(cs, "new view key", account.view_key);
        Self { key: PointVar { x, y }, view_key }
    }

    /// The elements of the leaf: key x, key y, view key.
    pub fn elements(&self) -> [&Wire; 3] {
        [&self.key.x, &self.key.y, &self.view_key]
    }
}

/// Underlying and margin method.
#[derive(Getters)]
pub struct BookVar {
    /// Underlying.
    underlying: Uint,
    /// Whether the method is the standard one.
    is_standard: Bool,
}

impl BookVar {
    /// Allocates a book, zeros for `None`, under the names of underlying and method.
    pub fn external(cs: &mut Cs, names: [&'static str; 2], book: Option<Book>) -> Self {
        let underlying = book.map_or(0, |book| book.underlying.get().into());
        let is_standard = book.is_some_and(|book| book.method.is_standard());
        Self {
            underlying: Uint::external(cs, names[0], underlying, UNDERLYING_BITS),
            is_standard: Bool::external(cs, names[1], is_standard),
        }
    }

    /// underlying (4 bits) ‖ method (1 bit).
    pub fn word(&self) -> Uint {
        pack(&[&self.underlying, &self.is_standard])
    }
}

impl AccountVar {
    /// Allocates the row and enforces what concerns the account alone.
    pub fn new(cs: &mut Cs, input: &AccountInput) -> Self {
        let account = Self::open(cs, input);
        account.enforce_new_is_empty(cs);
        account.enforce_key_valid(cs);
        account.enforce_keys_kept(cs);
        account
    }

    /// Both leaves and what they hold.
    fn open(cs: &mut Cs, input: &AccountInput) -> Self {
        let is_active = Bool::witness(cs, "account row in use", input.is_active);
        let is_new = Bool::witness(cs, "account is new", input.is_new);
        let index = Uint::external(cs, "account index", input.index.get().into(), ACCOUNT_BITS);
        let index = index.only_if(cs, "index of a row in use", &is_active);
        let old_keys = KeysVar::external(cs, &input.old);
        let is_rekeyed = Bool::witness(cs, "account is rekeyed", input.is_rekeyed);
        let new_keys = KeysVar::argued(cs, &input.new);
        // The book never changes: the old leaf is opened with that of the new one.
        let names = ["underlying", "standard method"];
        let book = BookVar::external(cs, names, Some(input.new.book));
        let old_cash = Signed::external(cs, "old cash", input.old.cash.into(), CASH_BITS);
        let nonces = cs.under(Rule::Nonce, |cs| nonce::consume(cs, &input.nonces()));
        let stored = input.old.positions.slots();
        let old_positions = positions::open_stored(cs, &stored);
        let slots = old_positions.slots();
        let settlement = SettlementVar::apply(cs, slots, &stored, &input.settlement);
        let cash = input.new.cash.into();
        let new_cash = cs.under(Rule::Range, |cs| Signed::witness(cs, "new cash", cash, CASH_BITS));
        let slots_after = input.new.positions.slots();
        let CanonicalVar { positions: new_positions, is_full } =
            positions::witness_canonical(cs, book.underlying(), &slots_after);
        let auctions = input.is_two_sided.then(|| {
            let [old, new] = [&input.old, &input.new].map(|account| account.auction.as_ref());
            [AuctionVar::external(cs, old), AuctionVar::witness(cs, new)]
        });
        let [old_tier, new_tier] = TierVar::raised(cs, [input.old.tier, input.new.tier]);
        let [old_auction, new_auction] = auction_words(cs, auctions.as_ref());
        let old = LeafVar {
            keys: &old_keys,
            status: [&old_cash.offset(cs), nonces.base(), &book.word(), &old_auction],
            tier: &old_tier,
            nonce_bits: nonces.bits(),
            positions: &old_positions,
        };
        let new = LeafVar {
            keys: &new_keys,
            status: [&new_cash.offset(cs), nonces.new_base(), &book.word(), &new_auction],
            tier: &new_tier,
            nonce_bits: nonces.new_bits(),
            positions: &new_positions,
        };
        let (secret_words, opened_leaf) = (new.secret_words(), old.hash(cs));
        let new_leaf = new.hash(cs).only_if(cs, "new leaf of a row in use", &is_active);
        let old_leaf = opened_leaf.only_if(cs, "old leaf", &is_new.not(cs));
        Self {
            is_active,
            is_new,
            index,
            old_keys,
            new_keys,
            is_rekeyed,
            book,
            old_cash: old_cash.int().clone(),
            opening_slots: settlement.remaining(slots),
            settlement,
            auctions,
            old_tier,
            new_cash: new_cash.int().clone(),
            nonces,
            old_positions,
            new_positions,
            is_full,
            opened_leaf,
            old_leaf,
            new_leaf,
            secret_words,
        }
    }

    /// Cash before, with what settled positions turned into.
    pub fn opening_cash(&self) -> Unranged {
        Unranged::new(self.old_cash.plus(self.settlement.cash()), Rule::Settlement)
    }

    /// A new account starts without cash, used nonces, positions or auction, in the first tier.
    fn enforce_new_is_empty(&self, cs: &mut Cs) {
        let zero = cs.zero();
        cs.under(Rule::AccountExists, |cs| {
            let empty = Positions::default().words();
            let is_new = self.is_new.lc();
            cs.enforce("a new account has no cash", is_new, &self.old_cash, &zero);
            cs.enforce("a new account has nonce base 0", is_new, self.nonces.base(), &zero);
            cs.enforce("a new account has used no nonce", is_new, self.nonces.bits(), &zero);
            let tier = self.old_tier.number();
            cs.enforce("a new account is in the first tier", is_new, &tier, &zero);
            if let Some([auction, _]) = &self.auctions {
                cs.enforce("a new account is in no auction", is_new, &auction.word(), &zero);
            }
            for (word, empty) in self.old_positions.words().iter().zip(empty) {
                let word = shifted(cs, word, -empty);
                cs.enforce("a new account has no position", is_new, &word, &zero);
            }
        });
    }

    /// The key with which an account is opened is in the prime-order subgroup and not the identity;
    /// another key was checked when it was asked for.
    fn enforce_key_valid(&self, cs: &mut Cs) {
        eddsa::enforce_key_valid(cs, &self.is_new, self.old_keys.key());
    }

    /// Without a request the keys stay.
    fn enforce_keys_kept(&self, cs: &mut Cs) {
        cs.under(Rule::AccountRequests, |cs| {
            let (is_kept, zero) = (self.is_rekeyed.not(cs), cs.zero());
            for (old, new) in self.old_keys.elements().into_iter().zip(self.new_keys.elements()) {
                cs.enforce("keys change by request", is_kept.lc(), &new.minus(old), &zero);
            }
        });
    }
}

/// The words of the auctions before and after; 0 in one-sided rows, which hold none.
fn auction_words(cs: &Cs, auctions: Option<&[AuctionVar; 2]>) -> [Uint; 2] {
    match auctions {
        Some(auctions) => auctions.each_ref().map(AuctionVar::word),
        None => [Uint::constant(cs, 0, AUCTION_BITS), Uint::constant(cs, 0, AUCTION_BITS)],
    }
}

/// What a leaf holds.
struct LeafVar<'a> {
    keys: &'a KeysVar,
    /// The fields of [`STATUS`] but the last.
    status: [&'a Uint; 4],
    /// The last.
    tier: &'a TierVar,
    nonce_bits: &'a Uint,
    positions: &'a PositionsVar,
}

impl LeafVar<'_> {
    /// The elements of the leaf that are encrypted on L1: status word, nonce bits, position words.
    fn secret_words(&self) -> Vec<Uint> {
        let [cash, nonce_base, book, auction] = self.status;
        let status = pack_as(&STATUS, [cash, nonce_base, book, auction, &self.tier.number()]);
        let mut words = vec![status, self.nonce_bits.clone()];
        words.extend(self.positions.words().iter().cloned());
        words
    }

    /// Poseidon of tag, key, view key and the secret words.
    fn hash(&self, cs: &mut Cs) -> Element {
        let mut inputs = vec![cs.constant(Tag::Leaf.field())];
        inputs.extend(self.keys.elements().map(Clone::clone));
        inputs.extend(self.secret_words().iter().map(|word| word.lc().clone()));
        Element::new(poseidon::hash(cs, &inputs))
    }
}
