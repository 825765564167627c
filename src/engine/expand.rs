//! Steps that hold others: groups, their rounds, called runbooks, and steps that are done item by item.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::EngineError;
use super::contents::contents;
use super::drive::{Engine, Turn};
use super::plan::Instances;
use crate::action::StepError;
use crate::journal::{Event, Expanded, PlannedStep, RunState};
use crate::model::StepPath;
use crate::runbook::{StepSpec, named};

impl Engine {
    /// Fixes the steps of the next round. What is written down here is never computed again: a resume goes through the
    /// same items.
    pub(super) fn expand(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let planned = self.planned(path)?;
        let spec = self.spec(path)?;
        // Titles and reasons hold no results, but inputs and items.
        let texts = spec.steps.iter().chain([spec]).flat_map(|step| [Some(&step.title), step.why.as_ref()]).flatten();
        let scope = self.scope(&planned, &texts.fold(spec.given(), |all, text| all + "\n" + text))?;
        let round = self.step(path).map_or(0, |step| step.rounds.len()) + 1;
        let round = u32::try_from(round).unwrap_or(u32::MAX);
        let bench = &self.bench;
        let instances = Instances { catalogue: bench.catalogue, templates: &bench.templates };
        let place = self.locate(path)?;
        let event = match contents(place.step, &scope, &bench.templates, bench.ports.clock.now()) {
            Ok(contents) => {
                let steps = instances.within(&planned, place, round, &contents, &scope);
                let steps = steps.into_iter().map(Arc::new).collect();
                let items = self.wrap(Value::Object(contents.items.unwrap_or_default()), path)?;
                let inputs = contents.inputs.map(|inputs| self.wrap(Value::Object(inputs), path)).transpose()?;
                Event::Expanded(Box::new(Expanded { round, items, inputs, files: contents.files, steps }))
            }
            Err(error) => Event::StepFailed { error: error.message, hint: error.hint },
        };
        self.record(Some(path), event)?;
        Ok(Turn::On)
    }

    /// All that the step holds has ended: completes it, or begins another round.
    pub(super) fn end_round(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let Some(step) = self.step(path) else { return Ok(Turn::On) };
        let (rounds, since) = (step.rounds.len(), step.rounds_since());
        let Some(repeat) = self.spec(path)?.repeat.clone() else { return self.conclude_group(path) };
        let planned = self.planned(path)?;
        let mut scope = self.scope(&planned, &repeat.until)?;
        for held in step.held.iter().filter(|held| named("steps", &repeat.until).any(|id| id == held.path.id())) {
            if let Some(output) = self.output(held)? {
                scope.steps.insert(held.path.id().to_owned(), output);
            }
        }
        let failure = match self.bench.templates.truthy(&repeat.until, &scope) {
            Ok(true) => return self.conclude_group(path),
            Ok(false) if since < usize::try_from(repeat.max).unwrap_or(usize::MAX) => return self.expand(path),
            Ok(false) => StepError::new(format!("after {rounds} rounds `{}` is still not met", repeat.until))
                .hint("retry for as many rounds again, or skip with a reason and see to it by hand"),
            Err(error) => StepError::new(format!("`{}` cannot be judged after the round: {error}", repeat.until))
                .hint("a step that it looks at was skipped or failed in this round"),
        };
        self.record(Some(path), Event::StepFailed { error: failure.message, hint: failure.hint })?;
        Ok(Turn::On)
    }

    fn conclude_group(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let Some(step) = self.step(path) else { return Ok(Turn::On) };
        let summary = summary(self.run_state()?, &step.held, step.rounds.len());
        let spec = self.spec(path)?;
        let output = if spec.foreach.is_some() {
            let items = step.rounds.last().map(|items| self.unwrap(items)).transpose()?.unwrap_or_default();
            let mut results = Vec::new();
            for of in step.held.chunk_by(|one, next| one.key == next.key) {
                let key = of[0].key.as_deref().unwrap_or_default();
                results.push(result_of(spec, key, &items[key], self.outputs(of)?));
            }
            json!({ "results": results })
        } else {
            Value::Object(self.outputs(&step.held)?)
        };
        let output = self.wrap(output, path)?;
        self.record(Some(path), Event::StepDone { output, summary })?;
        Ok(Turn::On)
    }

    /// The outputs of steps by id.
    fn outputs(&self, steps: &[Arc<PlannedStep>]) -> Result<Map<String, Value>, EngineError> {
        let mut outputs = Map::new();
        for step in steps {
            if let Some(output) = self.output(step)? {
                outputs.insert(step.path.id().to_owned(), output);
            }
        }
        Ok(outputs)
    }
}

/// What was done for one item: of a step that holds others, their outputs by id.
pub(super) fn result_of(spec: &StepSpec, key: &str, item: &Value, mut outputs: Map<String, Value>) -> Value {
    let output =
        if spec.holds_steps() { Value::Object(outputs) } else { outputs.shift_remove(&spec.id).unwrap_or_default() };
    json!({ "key": key, "item": item, "output": output })
}

fn summary(run: &RunState, held: &[Arc<PlannedStep>], rounds: usize) -> String {
    let count = |word: &str| held.iter().filter(|step| run.word(&step.path) == word).count();
    let mut parts = vec![format!("{} of {} done", count("done"), held.len())];
    for word in ["left", "skipped", "failed"] {
        let number = count(word);
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    if rounds > 1 {
        parts.push(format!("in round {rounds}"));
    }
    parts.join(", ")
}
