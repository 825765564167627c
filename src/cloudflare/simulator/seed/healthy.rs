//! The account before anything happened to it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Labels, Seeded, inventory, moment};
use crate::cloudflare::simulator::audit::AuditLog;
use crate::cloudflare::simulator::call::stamp;
use crate::cloudflare::simulator::permissions::{Scope, group_id, names, of_families, stored_policies};
use crate::cloudflare::simulator::plan::{AccessRulePlan, Plan, PolicyPlan, RulesetPlan, TokenPlan, ZonePlan};
use crate::cloudflare::simulator::shelf::Shelf;
use crate::cloudflare::simulator::tokens::{Token, prefix};
use crate::cloudflare::simulator::world::{Account, Person, Ruleset, Zone};
use crate::cloudflare::simulator::{access_rules, certificates, dns, rules, secret};

/// Account-wide roles, with what they may write.
const ROLES: [(&str, bool); 4] = [
    ("Super Administrator - All Privileges", true),
    ("Administrator", true),
    ("DNS", false),
    ("Administrator Read Only", false),
];

/// Settings that every zone has, with their values as JSON.
const SETTINGS: [(&str, &str); 14] = [
    ("ssl", r#""strict""#),
    ("min_tls_version", r#""1.2""#),
    ("tls_1_3", r#""on""#),
    ("always_use_https", r#""on""#),
    ("security_level", r#""medium""#),
    ("development_mode", r#""off""#),
    ("automatic_https_rewrites", r#""on""#),
    ("browser_check", r#""on""#),
    ("challenge_ttl", "1800"),
    ("ciphers", "[]"),
    ("ipv6", r#""on""#),
    ("pseudo_ipv4", r#""off""#),
    (
        "security_header",
        r#"{"strict_transport_security":{"enabled":true,"max_age":31536000,"include_subdomains":true,"preload":false,"nosniff":true}}"#,
    ),
    ("tls_client_auth", r#""off""#),
];

/// Stands for every group that some family needs on that resource.
const EVERY_FAMILY: &str = "every family";

/// Builds the account as it was before any traffic and any act.
pub(in crate::cloudflare::simulator) fn healthy(plan: &Plan, now: Timestamp) -> Result<Seeded, String> {
    let mut builder = Builder { plan, now, labels: Labels::default() };
    let mut account = builder.account()?;
    inventory::stock(plan, now, &mut account, &mut builder.labels)?;
    Ok(Seeded { account, labels: builder.labels, truth: Vec::new(), innocents: Vec::new() })
}

struct Builder<'a> {
    plan: &'a Plan,
    now: Timestamp,
    labels: Labels,
}

impl Builder<'_> {
    /// An identifier for a labelled object.
    fn id(&mut self, kind: &str, key: &str) -> String {
        let id = secret::id(&format!("{}/{kind}/{key}", self.plan.account));
        self.labels.set(&format!("{kind}.{key}"), &id);
        id
    }

    fn stamp(&self, relative: &str) -> Result<String, String> {
        moment(self.now, relative).map(stamp)
    }

    fn account(&mut self) -> Result<Account, String> {
        for name in names() {
            self.labels.set(&format!("group.{name}"), &group_id(name));
        }
        let id = self.id("account", "id");
        let object = json!({
            "id": id,
            "name": self.plan.account,
            "type": "standard",
            "settings": { "enforce_twofactor": false, "abuse_contact_email": null },
            "created_on": self.stamp("1500d ago")?,
        });
        let roles = self.roles();
        let mut people = BTreeMap::new();
        let mut members = Vec::new();
        for plan in &self.plan.people {
            let user = json!({
                "id": self.id("person", &plan.key),
                "email": plan.email,
                "first_name": plan.first,
                "last_name": plan.last,
                "two_factor_authentication_enabled": plan.two_factor,
            });
            let role = roles.iter().find(|role| role["name"] == plan.role);
            let role = role.ok_or_else(|| format!("no role {}", plan.role))?;
            members.push(json!({
                "id": self.id("member", &plan.key),
                "email": plan.email,
                "user": user,
                "status": "accepted",
                "roles": [role],
                "policies": [],
            }));
            let mut object = user;
            object["two_factor_authentication_locked"] = false.into();
            object["suspended"] = false.into();
            object["created_on"] = self.stamp("1400d ago")?.into();
            let global_key = secret::secret("cfk", &format!("{}/key/{}", self.plan.account, plan.key));
            people.insert(plan.email.clone(), Person { object, global_key });
        }
        let plan = self.plan;
        let mut account = Account {
            scenario: plan.account.clone(),
            object,
            people,
            tokens: Vec::new(),
            lag: SignedDuration::ZERO,
            lingering: Vec::new(),
            members,
            roles,
            zones: Vec::new(),
            rulesets: self.rulesets(&plan.rulesets, "root")?,
            access_rules: Vec::new(),
            user_access_rules: Vec::new(),
            shelf: Shelf::default(),
            audit: AuditLog::default(),
            made: 0,
        };
        for zone in &plan.zones {
            account.zones.push(self.zone(zone, &account.object)?);
        }
        for token in &plan.tokens {
            account.tokens.push(self.token(token)?);
        }
        for rule in &plan.access_rules {
            self.access_rule(rule, &mut account)?;
        }
        Ok(account)
    }

    fn roles(&mut self) -> Vec<Value> {
        let role = |(name, write): (&str, bool)| {
            json!({
                "id": self.id("role", name),
                "name": name,
                "description": format!("Can act as {name}"),
                "permissions": { "dns_records": { "read": true, "write": write || name == "DNS" }, "waf": { "read": true, "write": write } },
            })
        };
        ROLES.map(role).to_vec()
    }

    fn token(&mut self, plan: &TokenPlan) -> Result<Token, String> {
        let people = &self.plan.people;
        let owner = plan.owner.as_ref().map(|key| {
            let person = people.iter().find(|person| person.key == *key);
            person.map(|person| person.email.clone()).ok_or_else(|| format!("no person {key}"))
        });
        let owner = owner.transpose()?;
        let id = self.id("token", &plan.key);
        let policies: Vec<Value> =
            plan.policies.iter().map(|policy| self.policy(policy, plan.owner.as_deref())).collect::<Result<_, _>>()?;
        let issued = self.stamp(&plan.issued)?;
        let mut object = json!({
            "id": id,
            "name": plan.name,
            "status": plan.status.as_deref().unwrap_or("active"),
            "issued_on": issued,
            "modified_on": issued,
        });
        if let Some(expires) = &plan.expires {
            object["expires_on"] = self.stamp(expires)?.into();
        }
        if !plan.from.is_empty() {
            object["condition"] = json!({ "request_ip": { "in": plan.from } });
        }
        object["policies"] = stored_policies(&policies.into(), &id).into();
        let secret = secret::secret(prefix(owner.as_deref()), &format!("{}/{}", self.plan.account, plan.key));
        Ok(Token { owner, secret, object })
    }

    fn policy(&self, plan: &PolicyPlan, owner: Option<&str>) -> Result<Value, String> {
        let id = |label: &str| self.labels.get(label).map(str::to_owned).ok_or_else(|| format!("no {label}"));
        let account = format!("com.cloudflare.api.account.{}", id("account.id")?);
        let resources = match plan.on.as_str() {
            "user" => {
                let user = id(&format!("person.{}", owner.unwrap_or_default()))?;
                json!({ format!("com.cloudflare.api.user.{user}"): "*" })
            }
            "account" => json!({ account: "*" }),
            "zones" => json!({ account: { "com.cloudflare.api.account.zone.*": "*" } }),
            key => json!({ format!("com.cloudflare.api.account.zone.{}", id(&format!("zone.{key}"))?): "*" }),
        };
        let mut groups: BTreeSet<&str> = plan.groups.iter().map(String::as_str).collect();
        if groups.remove(EVERY_FAMILY) {
            groups.extend(of_families(&plan.on).collect::<Vec<_>>());
        }
        let groups = groups.into_iter().map(|name| id(&format!("group.{name}")).map(|id| json!({ "id": id })));
        let groups: Vec<Value> = groups.collect::<Result<_, _>>()?;
        Ok(json!({ "effect": "allow", "permission_groups": groups, "resources": resources }))
    }

    fn zone(&mut self, plan: &ZonePlan, account: &Value) -> Result<Zone, String> {
        let id = self.id("zone", &plan.key);
        let mut records = Vec::new();
        for (index, record) in plan.records.iter().enumerate() {
            let key = record.key.clone().unwrap_or_else(|| format!("{}-{index}", plan.key));
            let age = self.stamp(&format!("{}d ago", 400 - index * 5))?;
            let made = dns::new_record(&self.id("record", &key), &record.given, &plan.name, &age);
            records.push(made.map_err(|refusal| format!("record {key}: {}", refusal.errors))?);
        }
        let mut packs = vec![self.pack(plan, "universal", &[plan.name.clone(), format!("*.{}", plan.name)])?];
        for hosts in &plan.advanced {
            packs.push(self.pack(plan, "advanced", hosts)?);
        }
        let origin_certificates = plan
            .origin_certificates
            .iter()
            .map(|hosts| {
                let id = self.id("origin", &hosts.join(","));
                Ok(certificates::new_origin(&id, &json!(hosts), 5475, moment(self.now, "300d ago")?))
            })
            .collect::<Result<_, String>>()?;
        let settings = SETTINGS.map(|(name, value)| {
            let value: Value = value.parse().unwrap_or_default();
            json!({ "id": name, "value": value, "editable": true, "modified_on": null })
        });
        Ok(Zone {
            object: self.zone_object(&id, plan, account)?,
            records,
            more_records: plan.more_records,
            packs,
            custom_certificates: Vec::new(),
            origin_certificates,
            rulesets: self.rulesets(&plan.rulesets, "zone")?,
            access_rules: Vec::new(),
            settings: settings.to_vec(),
            hold: json!({ "hold": false, "include_subdomains": "false" }),
            dnssec: json!({ "status": plan.dnssec, "dnssec_multi_signer": false, "dnssec_presigned": false, "modified_on": self.stamp("380d ago")? }),
        })
    }

    fn zone_object(&self, id: &str, plan: &ZonePlan, account: &Value) -> Result<Value, String> {
        Ok(json!({
            "id": id,
            "name": plan.name,
            "status": "active",
            "paused": false,
            "type": "full",
            "development_mode": 0,
            "name_servers": ["ada.ns.cloudflare.com", "rob.ns.cloudflare.com"],
            "original_name_servers": null,
            "original_registrar": null,
            "original_dnshost": null,
            "created_on": self.stamp("1400d ago")?,
            "activated_on": self.stamp("1399d ago")?,
            "modified_on": self.stamp("380d ago")?,
            "account": { "id": account["id"], "name": account["name"] },
            "owner": { "id": null, "type": "user", "email": null },
            "meta": { "phishing_detected": false },
            "permissions": [],
            "plan": { "id": secret::id("plan/business"), "name": "Business Website" },
        }))
    }

    fn pack(&mut self, plan: &ZonePlan, kind: &str, hosts: &[String]) -> Result<Value, String> {
        let id = self.id("pack", &format!("{}-{kind}", plan.key));
        let certificate = secret::id(&format!("{id}/certificate"));
        let ordered = json!({ "type": kind, "hosts": hosts });
        Ok(certificates::new_pack(&id, &certificate, &ordered, "active", moment(self.now, "45d ago")?))
    }

    fn rulesets(&mut self, plans: &[RulesetPlan], kind: &str) -> Result<Vec<Ruleset>, String> {
        let age = self.stamp("120d ago")?;
        let mut rulesets = Vec::new();
        for plan in plans {
            let rules = plan.rules.iter().map(|rule| {
                let given = self.labels.fill_all(&rule.given);
                rules::new_rule(&self.id("rule", &rule.key), &given, &age)
            });
            let rules: Vec<Value> = rules.collect();
            rulesets.push(rules::new_ruleset(
                &self.id("ruleset", &plan.key),
                &plan.phase,
                "default",
                kind,
                &rules,
                &age,
            ));
        }
        Ok(rulesets)
    }

    fn access_rule(&mut self, plan: &AccessRulePlan, account: &mut Account) -> Result<(), String> {
        let given = json!({ "mode": plan.mode, "configuration": { "target": plan.target, "value": plan.value }, "notes": plan.notes });
        let id = self.id("access_rule", &plan.value);
        let age = self.stamp("200d ago")?;
        match plan.on.as_str() {
            "user" => account.user_access_rules.push(access_rules::new_rule(&id, &given, Scope::User, &age)),
            "account" => account.access_rules.push(access_rules::new_rule(&id, &given, Scope::Account, &age)),
            key => {
                let zone = self.labels.get(&format!("zone.{key}")).ok_or_else(|| format!("no zone {key}"))?;
                let rule = access_rules::new_rule(&id, &given, Scope::Zone(zone), &age);
                let zone = account.zones.iter_mut().find(|it| it.object["id"] == zone);
                zone.ok_or_else(|| format!("no zone {key}"))?.access_rules.push(rule);
            }
        }
        Ok(())
    }
}
