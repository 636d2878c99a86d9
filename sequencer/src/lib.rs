//! The sequencer: takes signed operations, keeps them durably, closes them into batches.
//!
//! An answer is given only after what it promises is on the disk; see `docs/spec/sequencer.md`.
//!
//! Invariant: the clock is read by the command line only, and no rule of the protocol is decided
//! here.
#![forbid(unsafe_code)]

mod anchor;
mod answer;
mod backup;
mod batches;
mod clock;
mod connection;
mod damage;
mod desk;
mod error;
mod event;
mod export;
mod genesis;
mod intake;
mod lines;
mod log;
mod pins;
mod rebuild;
mod reference;
mod replay;
mod report;
mod sequencer;
mod store;
mod submission;
mod tables;

pub use answer::{Answer, Reason, Receipt, Refusal, SealedBatch};
pub use backup::backup;
pub use damage::{Damage, Remedy};
pub use error::{DatabaseFailure, Error};
pub use event::{Announcement, Event, SealRecord};
pub use genesis::Genesis;
pub use lines::{LINE_BYTES_MAX, Line, read_groups};
pub use rebuild::{Rebuilt, rebuild};
pub use replay::Replayed;
pub use report::{AccountInfo, BatchInfo, MarginInfo, Status};
pub use sequencer::{Access, Sequencer};
pub use submission::{Content, DepositNotice, ForcedNotice, Source, Submission};
