//! Techniques to be planted one by one, each beside an honest thing of the same kind.
//!
//! The tables are `scenarios/plants/*.toml`, one entry for each technique; who acts, and what had to be so before, is in
//! `cast.toml`. Everybody acts through the routes of the API, as in a scenario file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::permissions::names;
use super::plan::{Act, Caller, InnocentPlan, PersonPlan, Plan, PlantedPlan, PolicyPlan, TokenPlan};

const CAST: &str = include_str!("scenarios/plants/cast.toml");

const TABLES: [&str; 6] = [
    include_str!("scenarios/plants/persistence.toml"),
    include_str!("scenarios/plants/traffic.toml"),
    include_str!("scenarios/plants/private.toml"),
    include_str!("scenarios/plants/exfiltration.toml"),
    include_str!("scenarios/plants/impact.toml"),
    include_str!("scenarios/plants/rest.toml"),
];

static PLANTS: LazyLock<Vec<PlantPlan>> = LazyLock::new(|| {
    let read = |text: &&str| -> Table { toml::from_str(text).unwrap_or_else(|error| panic!("plants: {error}")) };
    TABLES.iter().map(read).flat_map(|table| table.plants).collect()
});

/// The first plant is so many minutes old, and each of the others two minutes younger than the one before.
const FIRST: usize = 300;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    plants: Vec<PlantPlan>,
}

/// A technique, and how it is planted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlantPlan {
    technique: String,
    /// Name of the family that shows it; none where only the log does, or nothing.
    #[serde(default)]
    family: String,
    intruder: Deed,
    /// What a colleague does of the same kind; none where there is only one of it, which both would write.
    colleague: Option<Deed>,
}

/// A call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deed {
    by: String,
    /// `METHOD /path`.
    request: String,
    #[serde(default)]
    body: Value,
}

/// Who takes part besides those of the scenario file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cast {
    people: Vec<PersonPlan>,
    tokens: Vec<TokenPlan>,
    callers: BTreeMap<String, Caller>,
    /// What was done long before.
    earlier: Vec<Deed>,
}

/// Techniques and the families that show their plants, empty where none does; a technique may have several.
///
/// # Panics
/// A table is wrong, which a test rules out.
pub fn plants() -> impl Iterator<Item = (&'static str, &'static str)> {
    PLANTS.iter().map(|plant| (plant.technique.as_str(), plant.family.as_str()))
}

/// Makes a plan of a scenario into one in which nothing happens but these techniques.
pub(super) fn sow(plan: &mut Plan, techniques: &[&str], noise: bool) -> Result<(), String> {
    let cast: Cast = toml::from_str(CAST).map_err(|error| error.to_string())?;
    plan.people.extend(cast.people);
    plan.tokens.extend(cast.tokens);
    plan.callers.extend(cast.callers);
    // Whoever steals a token that may do everything can use every technique.
    let all = |on: &str| PolicyPlan { groups: names().map(str::to_owned).collect(), on: on.to_owned() };
    for token in plan.tokens.iter_mut().filter(|token| token.key == plan.suspect) {
        token.policies = vec![all("account"), all("zones")];
    }
    plan.traffic.clear();
    plan.acts = cast.earlier.into_iter().map(|deed| deed.at("30d ago".to_owned())).collect();
    // Whoever acts with a stolen credential looks around first: by that its address is known.
    if !techniques.is_empty() {
        let look = |by: &str, request: &str| Deed { by: by.to_owned(), request: request.to_owned(), body: Value::Null };
        let looks = [look("intruder", "GET /zones"), look("intruder-laptop", "GET /user/tokens")];
        plan.acts.extend(looks.into_iter().map(|deed| deed.at(format!("{}m ago", FIRST + 2))));
    }
    if let Some(unknown) = techniques.iter().find(|id| !PLANTS.iter().any(|plant| plant.technique == **id)) {
        return Err(format!("no plant of {unknown}"));
    }
    for (index, plant) in PLANTS.iter().enumerate() {
        let is_planted = techniques.contains(&plant.technique.as_str());
        let minutes = FIRST - 2 * index;
        if is_planted {
            let (family, technique) = (plant.family.clone(), plant.technique.clone());
            let planted = PlantedPlan { family, technique, what: plant.intruder.request.clone() };
            let act = plant.intruder.clone().at(format!("{minutes}m ago"));
            plan.acts.push(Act { planted: Some(planted), ..act });
        }
        if let Some(deed) = plant.colleague.clone().filter(|_| noise && (is_planted || techniques.is_empty())) {
            let innocent = InnocentPlan { family: plant.family.clone(), why: plant.technique.clone() };
            plan.acts.push(Act { innocent: Some(innocent), ..deed.at(format!("{}m ago", minutes - 1)) });
        }
    }
    Ok(())
}

impl Deed {
    fn at(self, at: String) -> Act {
        Act { at, by: self.by, request: self.request, body: self.body, makes: None, planted: None, innocent: None }
    }
}
