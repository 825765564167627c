use std::future::Future;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{ActionSpec, Done, Look, Receipt, StepError, StepPlan};
use crate::model::{Effect, Outcome, Verdict};
use crate::provider::{Answer, BoxFuture};

/// The code behind a step. An action reads and proposes; it has no means to write.
///
/// The defaults are those of an action that only reads: its answers mean nothing and prove nothing.
pub trait Action: Send + Sync + 'static {
    /// The step's `with` table. Unknown keys must be refused (`#[serde(deny_unknown_fields)]`).
    type Params: DeserializeOwned + JsonSchema + Send;
    /// What later steps may refer to.
    type Output: Serialize + DeserializeOwned + JsonSchema + Send;
    /// Its facts.
    const SPEC: ActionSpec;

    /// Looks, and says what should change. Called again before sending where what was shown has become old: the same
    /// world must give the same effects.
    fn plan<'a>(
        params: Self::Params,
        look: &'a Look<'a>,
    ) -> impl Future<Output = Result<StepPlan<Self::Output>, StepError>> + Send + 'a;

    /// What the answer to an effect means. Pure, and total over every answer.
    fn settle(_effect: &Effect, _answer: &Answer) -> Receipt {
        Receipt { outcome: Outcome::Unknown("this action sends nothing".into()), detail: Value::Null }
    }

    /// Looks whether an effect is in place. `receipt` is missing for an effect in doubt.
    fn verify<'a>(
        _effect: &'a Effect,
        _receipt: Option<&'a Value>,
        _look: &'a Look<'a>,
    ) -> impl Future<Output = Verdict> + Send + 'a {
        std::future::ready(Verdict::CannotTell("no read shows it".into()))
    }

    /// Completes the output once everything has ended.
    fn conclude(output: Self::Output, _done: &Done) -> Self::Output {
        output
    }
}

/// An [`Action`] with its types erased.
pub trait AnyAction: Send + Sync {
    /// Its facts.
    fn spec(&self) -> &'static ActionSpec;
    /// JSON Schema of its `with` table.
    fn params_schema(&self) -> Value;
    /// JSON Schema of its output.
    fn output_schema(&self) -> Value;
    /// Whether a `with` table fits, without looking at anything.
    fn check(&self, params: &Value) -> Result<(), StepError>;
    /// See [`Action::plan`].
    fn plan<'a>(&self, params: Value, look: &'a Look<'a>) -> BoxFuture<'a, Result<StepPlan<Value>, StepError>>;
    /// See [`Action::settle`].
    fn settle(&self, effect: &Effect, answer: &Answer) -> Receipt;
    /// See [`Action::verify`].
    fn verify<'a>(&self, effect: &'a Effect, receipt: Option<&'a Value>, look: &'a Look<'a>) -> BoxFuture<'a, Verdict>;
    /// See [`Action::conclude`].
    fn conclude(&self, output: Value, done: &Done) -> Result<Value, StepError>;
}

impl<A: Action> AnyAction for A {
    fn spec(&self) -> &'static ActionSpec {
        &A::SPEC
    }

    fn params_schema(&self) -> Value {
        schema_of::<A::Params>()
    }

    fn output_schema(&self) -> Value {
        schema_of::<A::Output>()
    }

    fn check(&self, params: &Value) -> Result<(), StepError> {
        params_of::<A>(params.clone()).map(|_| ())
    }

    fn plan<'a>(&self, params: Value, look: &'a Look<'a>) -> BoxFuture<'a, Result<StepPlan<Value>, StepError>> {
        Box::pin(async move {
            let params = params_of::<A>(params)?;
            let plan = A::plan(params, look).await?;
            let output = to_json(A::SPEC.id, &plan.output)?;
            Ok(plan.map(|_| output))
        })
    }

    fn settle(&self, effect: &Effect, answer: &Answer) -> Receipt {
        A::settle(effect, answer)
    }

    fn verify<'a>(&self, effect: &'a Effect, receipt: Option<&'a Value>, look: &'a Look<'a>) -> BoxFuture<'a, Verdict> {
        Box::pin(A::verify(effect, receipt, look))
    }

    fn conclude(&self, output: Value, done: &Done) -> Result<Value, StepError> {
        let output = serde_json::from_value(output)
            .map_err(|error| StepError::new(format!("the output of `{}` cannot be read back: {error}", A::SPEC.id)))?;
        to_json(A::SPEC.id, &A::conclude(output, done))
    }
}

fn params_of<A: Action>(params: Value) -> Result<A::Params, StepError> {
    serde_json::from_value(params)
        .map_err(|error| StepError::new(format!("the parameters of `{}` do not fit: {error}", A::SPEC.id)))
}

fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

fn to_json(id: &str, value: &impl Serialize) -> Result<Value, StepError> {
    serde_json::to_value(value).map_err(|error| StepError::new(format!("the output of `{id}` is no JSON: {error}")))
}
