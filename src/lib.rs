//! quell: a guided incident-response runbook engine. The first provider is Cloudflare.
//!
//! A responder picks a TOML runbook; quell walks its ordered steps, shows what each would change, asks for consent
//! sized to the harm, acts, proves that the act took, and writes an append-only journal. Resume, the live view and the
//! post-mortem are derived from that journal and from nothing else.
//!
//! # The words
//!
//! | word | meaning |
//! |---|---|
//! | runbook | TOML file: metadata, inputs, ordered steps |
//! | action | the code behind a step, in a static catalogue ([`action`]) |
//! | incident | the case: one directory, one journal, one or more runs |
//! | run | one execution of one runbook, bound to one plan digest, one account, one API host |
//! | group | a step that holds others, or makes them for the items of a list; it stands behind them in the plan |
//! | call | a step that walks another runbook: a group of its steps, with inputs and a scope of their own |
//! | round | one pass through a repeated group; what it holds is journaled before it begins |
//! | step path | the address of a step instance in every journal entry ([`model::StepPath`]) |
//! | effect | ONE change to the outside world: one call, with target, before-image and danger ([`model::Effect`]) |
//! | undo | a run that quell writes itself, from before-images: one step for each effect ([`journal::IncidentState::undone_by`]) |
//! | danger | `observe` < `reversible` < `disruptive` < `irreversible` |
//! | world | live (a host) or rehearsal (a scenario); a warrant and a client of different worlds never meet |
//! | warrant | proof that consent and intent are on disk; spent by exactly one call ([`journal::Warrant`]) |
//! | outcome | `applied`, `refused`, `not_sent`, `unknown`; unknown is a result, not an error |
//! | forecast | what a dry run says a run would do; approved, it is consent to exactly that ([`engine::cover`](fn@engine::cover)) |
//! | drift | an effect that is not as it was shown or forecast: named, and asked for again |
//! | in doubt | the latest attempt has no outcome, or an unknown one |
//! | verdict | `holds`, `does_not_hold`, `cannot_tell`: the answer of a read that checks an effect |
//! | sink | where the team keeps its secrets: a sealed one is handed over there ([`engine::Courier`]) |
//! | evidence | a provider's answer after redaction, named by the digest of the stored bytes |
//! | finding | something suspicious: technique, resource, attribution, status |
//! | family | a kind of resource that can be listed, as data ([`hunt::Family`]) |
//! | baseline | what an account held when all was well, as files ([`hunt::snapshot`]) |
//! | gap | something that could not be seen; always shown, never read as "absent" |
//! | not examined | what the runbook does not look at; said in every report |
//! | rehearsal | the same runbook, engine and HTTP client against the built-in simulated account |
//!
//! # The floors
//!
//! Imports point down only; inside a floor they are acyclic. `tests/it/house.rs` holds this.
//!
//! | floor | modules | what it holds |
//! |---|---|---|
//! | F0 words | [`model`], [`secret`], [`escape`], [`crash`] | values that every floor shares |
//! | F1 materials | [`runbook`], [`journal`], [`evidence`], [`vault`], [`durable`], [`config`] | what is on disk |
//! | F2 contracts | [`provider`], [`outside`], [`clock`], [`action`], [`hunt`] | what a wing must offer; commands and other hosts; families, snapshots, differences |
//! | F3 wings | [`actions`], [`cloudflare`], [`simulator`] | one file for each action; all facts about Cloudflare |
//! | F4 machinery | [`engine`], [`report`] | plan, decide, act, prove; the post-mortem |
//! | F5 edge | [`cli`] | the only floor that prints, prompts, reads environment and arguments |
//!
//! # The way of a step
//!
//! ```text
//! runbook.toml ── parse, check ──> Runbook ── + inputs ──> Plan (digest), sealed
//!   loop: next = decide(state)                  pure: the same entries give the same answer
//!     Plan      action.plan(look)               reads only -> evidence, findings, effects
//!     Confirm   a person consents to effects by digest; an approved plan or an order may have, beforehand
//!     Perform   journal.intend -> fsync -> Warrant -> send, once
//!     Settled   applied | refused | not_sent | unknown
//!     Verify    action.verify(look)             read back within the settling time
//!     Probe     the same for an effect in doubt; never sent again by itself
//!     Chore     what the engine does itself: it waits, writes the post-mortem, goes on with its own credential
//!   every turn appends entries; state = fold(entries); only what is durable is shown
//! ```
//!
//! # Invariants
//!
//! * Nothing below F5 prints, prompts, reads arguments or environment, or asks the clock other than through
//!   [`clock::Clock`].
//! * Nothing outside [`cloudflare`] names a Cloudflare path, header or error code.
//! * The read side of a provider has no method that writes; the send side takes a warrant, which only the journal
//!   makes, after the fsync of the intent ([`journal::Journal::intend`], [`journal::Journal::intend_delivery`]). A dry run is
//!   given a read side and no journal.
//! * What lies outside the provider has the same two sides ([`outside`]): a dry run can run no command, and a rehearsal is
//!   given an outside that does nothing and says so.
//! * A write is sent once. What is in doubt is looked at, and if looking does not tell, a person decides.
//! * Secrets have no `Display` and no `Serialize`; an answer that holds one is sealed before it is read.
//! * Text that an attacker may have chosen passes one function per sink ([`escape`]).
//!
//! # An incident's directory
//!
//! | file | written by | what it is |
//! |---|---|---|
//! | `journal.jsonl` | [`journal::Journal`] | one entry a line, each naming the digest of the line before |
//! | `plan-r1.json` | the edge, once | inputs and the texts of all runbooks as the run was bound to them |
//! | `approved-r1.json` | the edge, once | the plan by which the run was consented to, as `quell plan` wrote it |
//! | `evidence/<sha256>` | [`evidence::EvidenceStore`] | redacted answers; `sha256sum -c` can check them |
//! | `snapshots/r1/` | [`hunt::snapshot`] | what the account held, as a step of that run read it; its manifest is evidence |
//! | `vault/` | [`vault::Vault`] | sealed answers that hold secrets, and the wrapped private key |
//! | `redaction.key` | the edge, once | key of the fingerprints in masks |
//! | `driver.lock`, `delivery.lock` | [`journal::DriverLock`] | who drives, who hands secrets over; the locks themselves are the kernel's |
//! | `report.md` | [`report`] | the post-mortem draft; people's blocks are kept |
//! | `world/`, `baseline/`, `score.json` | rehearsals only | the simulated account, its known-good DNS, what was missed |

pub mod action;
pub mod actions;
pub mod cli;
pub mod clock;
pub mod cloudflare;
pub mod config;
pub mod crash;
pub mod durable;
pub mod engine;
pub mod escape;
pub mod evidence;
pub mod hunt;
pub mod journal;
pub mod model;
pub mod outside;
pub mod provider;
pub mod report;
pub mod runbook;
pub mod secret;
pub mod simulator;
pub mod vault;
