//! Nothing an identity depends on can be chosen after the point. Spec:
//! `docs/spec/batch/argument.md`.

mod adaptive;
mod closure;
mod modes;
mod scan;
mod world;
