use clap::Args;

use crate::model::Danger;

/// How far a run goes without asking.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Order {
    /// Consent by itself to changes up to this danger: `reversible` or `disruptive`.
    ///
    /// Never to what cannot be put back, to a step whose `confirm` asks for more than its danger does, to rows that start
    /// unselected, nor to work by hand: those are asked for, and with nobody to ask the run rests (exit code 11). What an
    /// answers file says of a step goes before it. The rest of a list goes once its first row is proven.
    #[arg(long, value_name = "DANGER", value_parser = up_to)]
    pub(crate) yes_up_to: Option<Danger>,
}

fn up_to(text: &str) -> Result<Danger, String> {
    match text {
        "reversible" => Ok(Danger::Reversible),
        "disruptive" => Ok(Danger::Disruptive),
        "irreversible" => {
            Err("what cannot be put back is never consented to beforehand; go up to `disruptive` at most".to_owned())
        }
        _ => Err("it is `reversible` or `disruptive`".to_owned()),
    }
}
