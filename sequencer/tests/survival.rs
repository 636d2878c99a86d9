//! A store survives its operator: wrong clocks, repeats, damage, copies, readers without access,
//! full disks. Real files and the real binary.

mod support;

#[path = "survival/backup.rs"]
mod backup;
#[path = "survival/clock.rs"]
mod clock;
#[path = "survival/leftovers.rs"]
mod leftovers;
#[path = "survival/program.rs"]
mod program;
#[path = "survival/reading.rs"]
mod reading;
#[path = "survival/rebuild.rs"]
mod rebuild;
#[path = "survival/repeats.rs"]
mod repeats;
