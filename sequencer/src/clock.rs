//! A clock against the time of the market data.

use zkmargin_protocol::market::oracle::Attestation;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::value::units::Time;

use crate::answer::Refusal;

/// Neither table nor clock is years off: at `now`, the later of the clock and the log's time, the
/// table is of an age that the parameters allow.
///
/// # Errors
/// [`zkmargin_protocol::Rule::OracleAge`] with both times and what helps.
pub(crate) fn check_age(
    attestation: &Attestation,
    parameters: &BatchParameters,
    now: Time,
) -> Result<(), Refusal> {
    let message = &attestation.message;
    message.check_age(now, parameters).map_err(|reject| {
        let oldest = now.get().saturating_sub(parameters.oracle_max_age_s.into());
        let newest = now.get().saturating_add(parameters.oracle_skew_s.into());
        let what = format!(
            "time of the risk table, at clock {now} to be from {oldest} to {newest}; set the clock \
             right, or take the table of this time"
        );
        Refusal { what, ..reject.into() }
    })
}
