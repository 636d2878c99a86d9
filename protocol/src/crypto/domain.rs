//! Domain tags: each use of a hash has its own, so that a value hashed for one purpose means
//! nothing for another.

use ark_bn254::Fr;
use ark_ff::PrimeField;

macro_rules! tags {
    ($($(#[$doc:meta])* $tag:ident = $name:literal,)*) => {
        /// The purpose of a hash.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Tag {
            $($(#[$doc])* $tag,)*
        }

        impl Tag {
            /// Every tag.
            pub const ALL: &[Self] = &[$(Self::$tag,)*];

            /// The ASCII name, at most 23 bytes.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$tag => concat!("zkmargin.", $name),)*
                }
            }
        }
    };
}

tags! {
    /// An account leaf.
    Leaf = "leaf",
    /// A signed order.
    Order = "order",
    /// A signed transfer.
    Transfer = "transfer",
    /// A signed withdrawal.
    Withdrawal = "withdrawal",
    /// A signed change of keys.
    Rekey = "rekey",
    /// A signed cancellation of all orders.
    CancelAll = "cancel-all",
    /// A signed bid for an account in auction.
    Bid = "bid",
    /// A row of the risk table.
    RiskRow = "risk-row",
    /// The message of the oracle quorum.
    Oracle = "oracle",
    /// A sample of an index for the settlement price.
    IndexSample = "index-sample",
    /// The commitment to a view key.
    ViewKey = "view-key",
    /// The challenges of the argument.
    Transcript = "transcript",
    /// The commitment to the public statement.
    Statement = "statement",
    /// The key-stream of an encrypted leaf.
    Cipher = "cipher",
    /// The domain of signatures: chain, contract and protocol version.
    Domain = "domain",
    /// The parameter block.
    Parameters = "parameters",
    /// The parameters of the risk table.
    RiskParameters = "risk-params",
    /// The set of oracle signers.
    SignerSet = "signer-set",
}

impl Tag {
    /// The name's bytes as a big-endian number, below 2^184.
    pub fn field(self) -> Fr {
        Fr::from_be_bytes_mod_order(self.name().as_bytes())
    }
}
