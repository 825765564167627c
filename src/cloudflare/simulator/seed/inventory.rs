//! What else there is in the account: items of every family that the scenario file does not name.

use jiff::Timestamp;

use super::{Labels, moment};
use crate::cloudflare::simulator::call::stamp;
use crate::cloudflare::simulator::plan::{Plan, ShelfPlan};
use crate::cloudflare::simulator::secret;
use crate::cloudflare::simulator::shelf::{Maker, Place, born};
use crate::cloudflare::simulator::world::Account;

/// Puts it there, as if it had been made long ago.
pub(super) fn stock(plan: &Plan, now: Timestamp, account: &mut Account, labels: &mut Labels) -> Result<(), String> {
    for name in &plan.inventory.secrets {
        labels.set(&format!("secret.{name}"), &secret::secret("sim", &format!("{}/secret/{name}", plan.account)));
    }
    let owner = plan.people.first().map(|person| person.email.as_str()).unwrap_or_default();
    plan.inventory.shelf.iter().try_for_each(|list| stock_list(list, owner, now, account, labels))
}

fn stock_list(
    plan: &ShelfPlan,
    owner: &str,
    now: Timestamp,
    account: &mut Account,
    labels: &mut Labels,
) -> Result<(), String> {
    let path = labels.fill(&plan.path);
    let place = Place::find(&path).filter(|place| place.list == path);
    let place = place.ok_or_else(|| format!("no family lists {path}"))?;
    for (index, given) in plan.items.iter().enumerate() {
        let mut given = labels.fill_all(given);
        let mut said = |name: &str| given.as_object_mut()?.shift_remove(name)?.as_str().map(str::to_owned);
        let (key, made) = (said("key"), said("made").unwrap_or_else(|| "200d ago".to_owned()));
        let item = if given.is_object() {
            let maker = Maker {
                account: account.id(),
                email: owner,
                parent: place.parent.as_ref().map(|(_, id)| id.as_str()).unwrap_or_default(),
                jurisdiction: "default",
            };
            let seed = secret::id(&format!("{}/{path}/{index}", account.scenario));
            born(place.family, &given, &seed, &maker, &stamp(moment(now, &made)?))
        } else {
            given
        };
        if let Some(key) = key {
            labels.set(&format!("{}.{key}", place.family.name), &place.family.id_of(&item));
        }
        account.shelf.items_mut(&place.list).push(item);
    }
    Ok(())
}
