use super::{Member, MemberRef, collection};
use crate::action::{Look, StepError};
use crate::cloudflare::api::segment;
use crate::model::{Effect, Gap};
use crate::provider::{Listing, Paging, ReadError, ReadRequest, ReadSide};

/// Every member and invitation that the credential can see.
#[derive(Debug)]
pub struct Seen {
    /// The members.
    pub members: Vec<Member>,
    /// Why there may be more.
    shortfall: Option<String>,
}

impl Seen {
    /// What a list holds. Entries that are no members make it short.
    fn of(listing: Listing) -> Self {
        let members: Vec<Member> = listing.items.iter().filter_map(Member::read).collect();
        let unread = listing.items.len() - members.len();
        let unreadable = || (unread > 0).then(|| format!("{unread} entries of the list are no members"));
        Self { members, shortfall: listing.shortfall.or_else(unreadable) }
    }

    /// The member with this id or e-mail.
    pub fn get(&self, name: &str) -> Option<&Member> {
        // An id is what it is called by first: nobody can choose one.
        self.members
            .iter()
            .find(|member| member.id == name)
            .or_else(|| self.members.iter().find(|it| it.is_called(name)))
    }

    /// Whether nobody is called so, provably: the list was read to its end.
    pub fn is_gone(&self, name: &str) -> bool {
        self.shortfall.is_none() && self.get(name).is_none()
    }

    /// The gap of a member who is named and not to be seen.
    pub fn invisible(&self, member: &MemberRef) -> Gap {
        let why = self.shortfall.as_deref().unwrap_or_default();
        Gap {
            family: "members".to_owned(),
            scope: format!("{} ({})", member.label(), member.member),
            reason: format!("what was read of the list of members does not have it, and there may be more: {why}"),
            permission: None,
        }
    }
}

/// Lists members and invitations. A list that may be short is a gap.
pub async fn list(look: &Look<'_>) -> Result<Seen, StepError> {
    read(look).await.map_err(|error| StepError::read("list the members", &error))
}

/// The same for a step that makes sense without it: that the credential may not read it is a gap.
pub async fn list_or_gap(look: &Look<'_>) -> Result<Option<Seen>, StepError> {
    match read(look).await {
        Ok(seen) => Ok(Some(seen)),
        Err(error) if error.is_outage() => Err(StepError::read("list the members", &error)),
        Err(error) => {
            look.gap(error.gap("members", "the account", Some("Account Settings Read")));
            Ok(None)
        }
    }
}

async fn read(look: &Look<'_>) -> Result<Seen, ReadError> {
    let request = ReadRequest::new(collection(look.account()));
    let listing = look.list(&request, Paging::Pages { per_page: 50 }, "members", "the account").await?;
    let is_told = listing.shortfall.is_some();
    let seen = Seen::of(listing);
    if let Some(reason) = seen.shortfall.clone().filter(|_| !is_told) {
        look.gap(Gap { family: "members".to_owned(), scope: "the account".to_owned(), reason, permission: None });
    }
    Ok(seen)
}

/// The Super Administrators, outside of a run, by a list that was read to its end.
///
/// # Errors
/// Why the list is short or cannot be read.
pub async fn super_administrators(read: &dyn ReadSide) -> Result<Vec<Member>, String> {
    let request = ReadRequest::new(collection(&read.account().id));
    let listing = read.list(&request, Paging::Pages { per_page: 50 }).await.map_err(|error| error.to_string())?;
    let Seen { members, shortfall } = Seen::of(listing);
    match shortfall {
        Some(short) => Err(short),
        None => Ok(members.into_iter().filter(Member::is_super_administrator).collect()),
    }
}

/// What a fresh look at one member shows.
#[derive(Debug)]
pub enum Found {
    /// It is there.
    There(Box<Member>),
    /// It is not there, by a complete list.
    Gone,
    /// It cannot be told, and why.
    Unseen(String),
}

/// Looks at the member of an effect.
pub async fn find(look: &Look<'_>, effect: &Effect) -> Found {
    let id = &effect.target.id;
    let request = ReadRequest::new(format!("{}/{}", collection(look.account()), segment(id)));
    match look.get(&request).await {
        Ok(reading) => match Member::read(&reading.result).filter(|member| member.id == *id) {
            Some(member) => Found::There(Box::new(member)),
            None => Found::Unseen("the API's answer is not this member".to_owned()),
        },
        Err(ReadError::NotFound(_) | ReadError::Rejected(_)) => find_listed(look, id).await,
        Err(error) => Found::Unseen(error.to_string()),
    }
}

/// Looks for the member in a fresh list.
pub async fn find_listed(look: &Look<'_>, id: &str) -> Found {
    match list(look).await {
        Ok(seen) => match seen.get(id) {
            Some(member) => Found::There(Box::new(member.clone())),
            None if seen.is_gone(id) => Found::Gone,
            None => Found::Unseen("the list of members was not read to its end".to_owned()),
        },
        Err(error) => Found::Unseen(error.message),
    }
}
