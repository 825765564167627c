//! `cloudflare.credential.switch`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::token_create_incident::Created;
use crate::action::{Action, ActionSpec, Done, Estimate, Look, StepError, StepPlan};
use crate::cloudflare::ByHand;
use crate::journal::ChoreDone;
use crate::model::{Chore, Danger};

/// `cloudflare.credential.switch`.
#[derive(Debug, Clone, Copy)]
pub struct CredentialSwitch;

/// Parameters of `cloudflare.credential.switch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The tokens that `cloudflare.token.create_incident` made in this run; the last one counts. Without any the run stays
    /// with the credential that it has.
    pub created: Vec<Created>,
}

/// Output of `cloudflare.credential.switch`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Whether the run acts with a credential of its own from here on.
    pub switched: bool,
    /// Id of that token.
    pub token_id: Option<String>,
    /// What a person is to do instead, as `items` of `manual`; none where the run has switched.
    pub by_hand: Vec<ByHand>,
}

impl Action for CredentialSwitch {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.credential.switch",
        version: 1,
        summary: "Go on with a token that this run has made",
        docs: "Takes the value from the vault, verifies it, settles that it reaches the same account, and tries one read for \
               each kind of resource that the runbook reads. Then the run acts with it: that is journaled before the first \
               request, and from there on the lock-out guards protect it. `quell resume` goes on with it too, for which the \
               vault must open; a credential in the environment goes before it, unless it is the one that the run has left.\
               \n\nThe old credential stays as it is. Cut or rotate it: nothing of the run hangs on it any more. Users' own \
               tokens and details stay unseen with a token that the account owns. Where the new token cannot be used, the \
               step fails and the run stays with what it has. Sends nothing that changes anything.",
        verb: "switch",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "created = [{ id = \"8a186ff66f91651bf74db1820580a0ef\", name = \"quell incident\", expires_on = \"2026-11-24T00:00:00Z\" }]\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 3, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let Some(made) = params.created.last() else {
            let output = Output { by_hand: vec![by_hand()], ..Output::default() };
            return Ok(StepPlan::seen(output, "no fresh credential was made: the run stays with the one that it has"));
        };
        let token_id = Some(made.id.clone());
        if look.provider().credential().id == token_id {
            let output = Output { switched: true, token_id, by_hand: Vec::new() };
            return Ok(StepPlan::seen(output, format!("the run acts with {} ({}) already", made.name, made.id)));
        }
        let output = Output { switched: false, token_id, by_hand: vec![by_hand()] };
        let summary = format!("would go on with {} ({}), until {}", made.name, made.id, made.expires_on);
        Ok(StepPlan { chore: Some(Chore::Switch { token: made.id.clone() }), ..StepPlan::seen(output, summary) })
    }

    fn conclude(output: Output, done: &Done) -> Output {
        match &done.chore {
            Some(ChoreDone::Switched { .. }) => Output { switched: true, by_hand: Vec::new(), ..output },
            _ => output,
        }
    }
}

fn by_hand() -> ByHand {
    ByHand {
        title: "Make a fresh credential, and resume with it".to_owned(),
        instruction:
            "On a clean machine, a second administrator makes an account-owned token that expires within a day and \
                      works from your address only; `quell doctor RUNBOOK` lists its permissions. Pause this run, set \
                      CLOUDFLARE_API_TOKEN to it, and `quell resume`. Only then answer `done`."
                .to_owned(),
        dashboard: "Manage account > Account API tokens > Create token".to_owned(),
    }
}
