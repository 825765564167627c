use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::values::{Harm, UNKNOWN_REACH, check_pointers, pointed, seconds, simulated};
use crate::action::{Action, ActionSpec, Done, Estimate, Look, Receipt, StepError, StepPlan};
use crate::model::{
    Call, CommandCall, Danger, Effect, EffectKey, Given, Outcome, OutsideCall, Radius, Target, Verdict,
};
use crate::provider::{Answer, Ended, Ending};

/// Seconds, where the step does not say.
const TIMEOUT: u64 = 300;

/// Runs a program.
pub(super) struct Command;

/// Parameters of `command`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// The program (a name, or an absolute path) and its arguments, one by one. There is no shell.
    argv: Vec<String>,
    /// Variables that it is given: a text, or `{ secret_env = "NAME" }` for a secret in quell's environment.
    #[serde(default)]
    env: BTreeMap<String, Given>,
    /// Variables of quell's environment that it is given as they are; they are not masked.
    #[serde(default)]
    pass_env: Vec<String>,
    /// What it reads on its standard input: a text, or `{ secret_env = "NAME" }`.
    stdin: Option<Given>,
    /// The directory that it runs in.
    cwd: Option<String>,
    /// How long it may take, like `30s`; five minutes without it.
    #[schemars(with = "Option<String>", extend("format" = "length"))]
    timeout: Option<SignedDuration>,
    /// Exit codes by which it says that it has done its work; 0 without it.
    #[serde(default)]
    expect: Vec<i32>,
    /// How much harm it would do if it were wrong; `disruptive` without it.
    #[serde(default)]
    danger: Harm,
    /// Values to take from the JSON on its standard output: name to JSON pointer.
    #[serde(default)]
    outputs: BTreeMap<String, String>,
}

/// Output of `command`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// Whether it said that it has done its work.
    done: bool,
    /// Its exit code; missing where it did not end by itself, or nobody saw it.
    exit: Option<i32>,
    /// The values that were asked for, by name.
    values: Map<String, Value>,
    /// Names of values that its output did not have.
    missing: Vec<String>,
    /// In a rehearsal: nothing was run.
    simulated: bool,
}

impl Action for Command {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "command",
        version: 1,
        summary: "Run a program on this machine",
        docs: "Runs one program, without a shell. It gets `PATH`, `HOME`, `LANG`, `LC_ALL`, `TZ` and `TMPDIR` of quell's \
               environment and what `env` and `pass_env` name, and nothing else; `CLOUDFLARE_*` and `QUELL_*` are never \
               handed on. Secrets go into `env` or `stdin` as `{ secret_env = \"NAME\" }`, never into `argv`: they are read \
               when the program starts, and masked in all that is kept.\n\n\
               What it says is kept as evidence, up to 1 MiB of each output. An exit code that is not expected is a \
               refusal, and you decide; what it had done by then nobody knows. After `timeout` it is asked to end \
               (SIGTERM), and killed five seconds later with all that it started. What was killed, or ran when quell \
               died, is in doubt: it is never run again by itself. quell cannot look whether a command took, so it is \
               recorded as done and not verified; put an `http` step behind it that looks.\n\n\
               A dry run runs none. A rehearsal runs none and says so.",
        verb: "run",
        max_danger: Danger::Irreversible,
        permissions: &[],
        example: "argv = [\"printf\", \"blocked 192.0.2.7\"]\ntimeout = \"30s\"\ndanger = \"reversible\"",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(params: Params, look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        let program = params.argv.first().cloned().unwrap_or_default();
        if program.is_empty() {
            return Err(StepError::new("`argv` names no program"));
        }
        if program.contains('/') && !program.starts_with('/') {
            return Err(StepError::new(format!("`{program}` is neither a name nor an absolute path"))
                .hint("which file a relative path means would hang on where quell was started"));
        }
        check_pointers(params.outputs.values())?;
        let call = OutsideCall::Command(CommandCall {
            argv: params.argv,
            env: params.env,
            pass_env: params.pass_env,
            stdin: params.stdin,
            cwd: params.cwd,
            timeout: seconds("timeout", params.timeout, TIMEOUT)?,
            expect: if params.expect.is_empty() { vec![0] } else { params.expect },
            outputs: params.outputs,
        });
        look.outside().check(&call)?;
        let line = call.to_string();
        let summary = format!("would run `{line}`; what it does and says is not known before");
        let effect = Effect {
            key: EffectKey::derive(look.path.as_str(), Self::SPEC.id, "command", &line),
            action: Self::SPEC.id.to_owned(),
            target: Target { kind: "command".to_owned(), id: program, name: line.clone(), ambiguous: false },
            summary: format!("run {line}"),
            danger: params.danger.into(),
            call: Call::Outside(call),
            before: Value::Null,
            after: Value::Null,
            radius: Radius::default(),
            consequences: vec![
                UNKNOWN_REACH.to_owned(),
                "quell cannot look whether it took; what it says is kept".to_owned(),
            ],
            facts: Vec::new(),
            preselected: true,
            undo: None,
            resolves: None,
        };
        Ok(StepPlan { effects: vec![effect], ..StepPlan::seen(Output::default(), summary) })
    }

    fn settle(effect: &Effect, answer: &Answer) -> Receipt {
        let Call::Outside(OutsideCall::Command(call)) = &effect.call else {
            return Receipt { outcome: Outcome::Unknown("the effect is no command".to_owned()), detail: Value::Null };
        };
        match answer {
            Answer::Ended(ended) => ended_receipt(call, ended),
            Answer::Simulated(what) => Receipt {
                outcome: Outcome::Applied,
                detail: json!({ "simulated": what, "values": simulated(&call.outputs) }),
            },
            Answer::NotSent(why) => Receipt { outcome: Outcome::NotSent(why.clone()), detail: Value::Null },
            Answer::Lost(why) => Receipt { outcome: Outcome::Unknown(why.clone()), detail: Value::Null },
            Answer::Received { .. } | Answer::CutOff { .. } => {
                Receipt { outcome: Outcome::Unknown("a host answered for a command".to_owned()), detail: Value::Null }
            }
        }
    }

    async fn verify(_effect: &Effect, receipt: Option<&Value>, _look: &Look<'_>) -> Verdict {
        let simulated = receipt.and_then(|receipt| receipt["simulated"].as_str());
        Verdict::CannotTell(simulated.unwrap_or("quell cannot see what a command did").to_owned())
    }

    fn conclude(_output: Output, done: &Done) -> Output {
        let Some(ended) = done.effects.first() else { return Output::default() };
        let receipt = &ended.receipt;
        let missing = receipt["missing"].as_array().into_iter().flatten();
        Output {
            done: ended.applied,
            exit: receipt["exit"].as_i64().and_then(|code| i32::try_from(code).ok()),
            values: receipt["values"].as_object().cloned().unwrap_or_default(),
            missing: missing.filter_map(Value::as_str).map(str::to_owned).collect(),
            simulated: receipt["simulated"].is_string(),
        }
    }
}

fn ended_receipt(call: &CommandCall, ended: &Ended) -> Receipt {
    let outcome = ended.outcome(&call.expect);
    let exit = match &ended.how {
        Ending::Code(code) => Some(code),
        _ => None,
    };
    let (values, missing) = pointed(ended.stdout.expose(), &call.outputs);
    Receipt { outcome, detail: json!({ "exit": exit, "values": values, "missing": missing, "cut": ended.cut }) }
}
