//! What a caller may know about a scenario: the truth, the cast and the secrets.

use std::fmt;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::call::id_of;
use super::plan::{Plan, Story};
use super::plants;
use super::seed::{self, Seeded};

const LEAKED_TOKEN: &str = include_str!("scenarios/leaked-token.toml");
const PHISHED_ADMIN: &str = include_str!("scenarios/phished-admin.toml");
const BIG: &str = include_str!("scenarios/big.toml");

/// What else there is in the account of the built-in scenarios.
const INVENTORY: &str = include_str!("scenarios/inventory.toml");

/// Every scenario: its name, what happens instead in the account of the first one, and whether the intruder is awake.
const FILES: [(&str, Option<&str>, bool); 3] =
    [("leaked-token", None, false), ("leaked-token-awake", None, true), ("phished-admin", Some(PHISHED_ADMIN), false)];

static SCENARIOS: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    let load = |(name, story, awake): &(&'static str, Option<&str>, bool)| {
        Scenario::load(name, *story, *awake).unwrap_or_else(|problem| panic!("built-in scenario {name}: {problem}"))
    };
    FILES.iter().map(load).collect()
});

/// A compromised account.
#[derive(Clone)]
pub struct Scenario {
    /// How it is chosen.
    pub name: &'static str,
    /// One line.
    pub title: String,
    /// What the responder is told at first.
    pub summary: String,
    /// Everything that the intruder left behind.
    pub truth: Vec<Planted>,
    /// What changed in the same hours for honest reasons.
    pub innocents: Vec<Innocent>,
    /// Who takes part, with their secrets.
    pub cast: Cast,
    /// The intruder watches, and brings the stolen token back when it has been disabled.
    pub awake: bool,
    canaries: Vec<String>,
    pub(super) plan: Arc<Plan>,
}

/// Something that the intruder left behind.
#[derive(Debug, Clone, Serialize)]
pub struct Planted {
    /// `tokens`, `dns_records`, `certificates`, `rulesets`, `access_rules` or `members`; in an account of
    /// [`Scenario::planted`], the family of resources that shows it, empty where none does.
    pub family: String,
    /// Identifier of the object; of the whole ruleset for a rule.
    pub id: String,
    /// Identifier of the rule inside a ruleset.
    pub part: Option<String>,
    /// Name of the object, or what comes nearest to one.
    pub name: String,
    /// Name of the zone it is in.
    pub zone: Option<String>,
    /// Identifier in the catalogue of techniques.
    pub technique: String,
    /// What was done to it.
    pub what: String,
    /// What it was before the act, with its secrets; null for something new.
    #[serde(skip)]
    pub before: Value,
    /// What it was after the act; null for something deleted.
    #[serde(skip)]
    pub after: Value,
}

/// Something that changed in the same hours for an honest reason.
#[derive(Debug, Clone, Serialize)]
pub struct Innocent {
    /// As in [`Planted`].
    pub family: String,
    /// As in [`Planted`].
    pub id: String,
    /// As in [`Planted`].
    pub part: Option<String>,
    /// As in [`Planted`].
    pub name: String,
    /// As in [`Planted`].
    pub zone: Option<String>,
    /// The honest reason.
    pub why: String,
}

/// Who takes part. The secrets open the simulated account and nothing else.
#[derive(Clone)]
pub struct Cast {
    /// 32 hexadecimal digits.
    pub account_id: String,
    /// Name of the account.
    pub account_name: String,
    /// The responder's own token, owned by the responder's user and with every right that a response needs.
    pub responder_token: String,
    /// Its identifier.
    pub responder_token_id: String,
    /// The email that goes with `global_key`.
    pub email: String,
    /// The responder's Global API key.
    pub global_key: String,
    /// The secret of the stolen token.
    pub suspect_secret: String,
    /// Its identifier.
    pub suspect_token_id: String,
    /// Its name.
    pub suspect_name: String,
    /// Every token there is at the moment of discovery.
    pub tokens: Vec<TokenSecret>,
}

/// A token and its secret.
#[derive(Clone)]
pub struct TokenSecret {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Not unique.
    pub name: String,
    /// Email of the user who owns it; `None` if the account does.
    pub owner: Option<String>,
    /// What is sent as bearer.
    pub secret: String,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cast").field("account_id", &self.account_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

/// All built-in scenarios.
///
/// # Panics
/// A scenario file is wrong, which a test rules out.
#[must_use]
pub fn scenarios() -> &'static [Scenario] {
    &SCENARIOS
}

/// The scenario of that name.
#[must_use]
pub fn scenario(name: &str) -> Option<Scenario> {
    scenarios().iter().find(|scenario| scenario.name == name).cloned()
}

/// Every secret of the scenario at the moment of discovery. All contain [`CANARY`](super::CANARY).
#[must_use]
pub fn canaries(scenario: &Scenario) -> Vec<String> {
    scenario.canaries.clone()
}

/// The DNS records from before the intrusion, as the API lists them: file name (`<zone>.json`) and array.
#[must_use]
pub fn baseline(scenario: &Scenario, now: Timestamp) -> Vec<(String, Value)> {
    // It was built once when the scenario was loaded; only the times differ.
    let account = seed::healthy(&scenario.plan, now).map(|seeded| seeded.account);
    let zones = account.map(|account| account.zones).unwrap_or_default();
    zones
        .into_iter()
        .map(|zone| (format!("{}.json", zone.object["name"].as_str().unwrap_or_default()), Value::Array(zone.records)))
        .collect()
}

impl Scenario {
    fn load(name: &'static str, story: Option<&str>, awake: bool) -> Result<Self, String> {
        let mut plan: Plan = toml::from_str(LEAKED_TOKEN).map_err(|error| error.to_string())?;
        plan.inventory = toml::from_str(INVENTORY).map_err(|error| error.to_string())?;
        if let Some(story) = story {
            let story: Story = toml::from_str(story).map_err(|error| error.to_string())?;
            plan = plan.told(story);
        }
        Self::of(name, plan, awake)
    }

    /// An account with that many zones, and that many DNS records in each, beside little else: to see what size costs.
    ///
    /// # Errors
    /// Never, unless the file of the scenario is wrong, which a test rules out.
    pub fn big(zones: usize, records: usize) -> Result<Self, String> {
        let mut plan: Plan = toml::from_str(BIG).map_err(|error| error.to_string())?;
        let first = plan.zones.pop().ok_or("no zone")?;
        plan.zones = (0..zones).map(|number| first.numbered(number, records)).collect();
        Self::of("big", plan, false)
    }

    /// The account of the built-in scenario as it was before anybody broke in, and in it these techniques alone. With
    /// `noise`, a colleague does an honest thing of the same kind right after each, or instead of it where none is named.
    ///
    /// # Errors
    /// There is no plant of a technique of that name, or the tables of plants are wrong, which a test rules out.
    pub fn planted(techniques: &[&str], noise: bool) -> Result<Self, String> {
        let mut plan: Plan = toml::from_str(LEAKED_TOKEN).map_err(|error| error.to_string())?;
        plan.inventory = toml::from_str(INVENTORY).map_err(|error| error.to_string())?;
        plants::sow(&mut plan, techniques, noise)?;
        Self::of("planted", plan, false)
    }

    fn of(name: &'static str, plan: Plan, awake: bool) -> Result<Self, String> {
        // Identifiers and secrets do not depend on the time.
        let Seeded { account, labels, truth, innocents, .. } = seed::play(&plan, Timestamp::UNIX_EPOCH)?;
        let tokens: Vec<TokenSecret> = account
            .tokens
            .iter()
            .map(|token| TokenSecret {
                id: id_of(&token.object).to_owned(),
                name: token.object["name"].as_str().unwrap_or_default().to_owned(),
                owner: token.owner.clone(),
                secret: token.secret.clone(),
            })
            .collect();
        let token = |key: &str| {
            let id = labels.get(&format!("token.{key}"))?;
            tokens.iter().find(|token| token.id == *id).cloned()
        };
        let responder_token = token(&plan.responder_token).ok_or("no token of the responder")?;
        let suspect = token(&plan.suspect).ok_or("no suspect")?;
        let responder = plan.people.iter().find(|person| person.key == plan.responder).ok_or("no responder")?;
        let person = account.people.get(&responder.email).ok_or("no responder")?;
        let canaries = tokens
            .iter()
            .map(|token| token.secret.clone())
            .chain(account.people.values().map(|person| person.global_key.clone()))
            .chain(labels.of_kind("secret").map(str::to_owned))
            .collect();
        let cast = Cast {
            account_id: account.id().to_owned(),
            account_name: plan.account.clone(),
            responder_token: responder_token.secret,
            responder_token_id: responder_token.id,
            email: responder.email.clone(),
            global_key: person.global_key.clone(),
            suspect_secret: suspect.secret,
            suspect_token_id: suspect.id,
            suspect_name: suspect.name,
            tokens,
        };
        let (title, summary) = (plan.title.clone(), plan.summary.clone());
        Ok(Self { name, title, summary, truth, innocents, cast, awake, canaries, plan: Arc::new(plan) })
    }
}
