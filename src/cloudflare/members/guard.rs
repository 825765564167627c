use super::{Member, MemberRef, Seen};
use crate::action::{Look, StepError};
use crate::model::{CredentialKind, Gap};

/// What a step is about to do to members.
#[derive(Debug, Clone, Copy)]
pub struct Losing<'a> {
    /// In the infinitive: `remove`.
    pub doing: &'a str,
    /// Whether a Super Administrator is none any more afterwards.
    pub administration: bool,
    /// Others who are not to be relied upon: they may be the intruder's.
    pub suspects: &'a [MemberRef],
}

/// Takes out of `members` those whom the step must leave alone: the responder's own user, the team's break-glass users,
/// and the Super Administrators without whom nobody could be relied upon to administer the account. Each is a gap of the
/// step, since nobody has dealt with it.
///
/// # Errors
/// Nobody else is left to act on; or it cannot be told whose user the credential acts for.
pub fn spare(
    look: &Look<'_>,
    seen: &Seen,
    members: &[MemberRef],
    losing: Losing<'_>,
) -> Result<(Vec<MemberRef>, Vec<Gap>), StepError> {
    let own = own_user(look)?;
    let is_relied_upon = |member: &Member| {
        let named = members.iter().chain(losing.suspects).any(|named| member.is_called(&named.member));
        let compromised = look.compromised_users().any(|user| member.is_called(user));
        member.is_super_administrator() && !named && !compromised
    };
    let remains = seen.members.iter().any(is_relied_upon);
    let mut kept = Vec::new();
    let mut spared: Vec<(MemberRef, &str)> = Vec::new();
    for wanted in members.iter().cloned() {
        let Some(member) = seen.get(&wanted.member) else {
            kept.push(wanted);
            continue;
        };
        let why = if own.is_some_and(|own| member.is_called(own)) {
            Some("quell acts for this user: resume with a credential of somebody else first, or of the account itself")
        } else if look.safeguards().is_break_glass(&member.id, &member.email) {
            Some("quell.toml names it under `break_glass`: never to be touched")
        } else if losing.administration && member.is_super_administrator() && !remains {
            Some(
                "no Super Administrator would be left who is neither named here, nor a suspect, nor one whose key or session \
                 the intruder has: promote somebody whom you trust first (`cloudflare.member.set_roles`)",
            )
        } else {
            None
        };
        match why {
            Some(why) => spared.push((MemberRef { email: member.email.clone(), ..wanted }, why)),
            None => kept.push(wanted),
        }
    }
    match spared.first() {
        Some((member, why)) if kept.is_empty() => {
            let (doing, label, id) = (losing.doing, member.label(), &member.member);
            Err(StepError::new(format!("quell does not {doing} {label} ({id}): {why}"))
                .hint("nothing was sent; do it by hand in the dashboard only if you know that you are not locked out"))
        }
        _ => Ok((kept, spared.iter().map(|(member, why)| gap(member, why, losing.doing)).collect())),
    }
}

/// A plain word where somebody is named as the intruder's for whom this run acted at first: most likely they sit here.
pub fn is_responder(look: &Look<'_>, member: &Member) -> Option<String> {
    let began_for = look.began_for().filter(|user| member.is_called(user))?;
    Some(format!(
        "THE RUN BEGAN WITH A CREDENTIAL OF {began_for}: a responder would be taken for the intruder, and locked out"
    ))
}

/// E-mail of the user that the calls are made for; `None` where the account itself owns the credential.
fn own_user<'a>(look: &Look<'a>) -> Result<Option<&'a str>, StepError> {
    let credential = look.provider().credential();
    match (credential.kind, &credential.owner) {
        (CredentialKind::AccountToken, _) => Ok(None),
        (_, Some(owner)) => Ok(Some(owner)),
        (_, None) => Err(StepError::new("it cannot be told for which user quell acts, who must not be locked out")
            .hint("give the token `User Details Read`, or resume with a token that the account owns")),
    }
}

fn gap(member: &MemberRef, why: &str, doing: &str) -> Gap {
    Gap {
        family: "members".to_owned(),
        scope: format!("{} ({})", member.label(), member.member),
        reason: format!("quell did not {doing} it: {why}"),
        permission: None,
    }
}
