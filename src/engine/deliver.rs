use crate::clock::Clock;
use crate::crash::crash_point;
use crate::journal::{Event, Journal, JournalError, SettledBy, Stamp};
use crate::model::{Delivery, Outcome, Verdict, World};
use crate::outside::{Handed, OutsideLook, OutsideSend};
use crate::secret::{Redactor, Secret};

/// Hands sealed secrets to sinks, each with the care of an effect: the intent is on disk before, the outcome after, and
/// what is in doubt is looked at and never done again by itself. The caller holds the lock of deliveries.
pub struct Courier<'a> {
    /// The incident's journal.
    pub journal: &'a mut Journal,
    /// Masks what is journaled.
    pub redactor: &'a Redactor,
    /// What can be looked at.
    pub look: &'a dyn OutsideLook,
    /// What can be done.
    pub send: &'a dyn OutsideSend,
    /// The time.
    pub clock: &'a dyn Clock,
    /// What every entry carries besides its time and its run.
    pub stamp: Stamp,
}

impl Courier<'_> {
    /// Looks whether the latest delivery to the same sink, of which the outcome is in doubt, has taken place after all.
    /// `None` where no look can tell.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn probe(&mut self, delivery: &Delivery, secret: &Secret) -> Result<Option<Handed>, JournalError> {
        let handed = match self.look.arrived(&delivery.way, secret) {
            Verdict::Holds(seen) => Handed { outcome: Outcome::Applied, seen },
            Verdict::DoesNotHold(why) => Handed { outcome: Outcome::NotSent(why), seen: String::new() },
            Verdict::CannotTell(_) => return Ok(None),
        };
        self.settle(delivery, &handed, SettledBy::Probe)?;
        Ok(Some(handed))
    }

    /// Lets an intent that a process left open stand as unknown, so that there can be another one.
    ///
    /// # Errors
    /// The journal cannot be written, or there is no open intent.
    pub fn give_up(&mut self, delivery: &Delivery) -> Result<(), JournalError> {
        let outcome = Outcome::Unknown("quell ended before an outcome was recorded".to_owned());
        self.settle(delivery, &Handed { outcome, seen: String::new() }, SettledBy::Person)
    }

    /// Hands the secret over, once.
    ///
    /// # Errors
    /// The journal cannot be written. Before the intent nothing was done; after it, the delivery is in doubt.
    pub async fn hand_over(
        &mut self,
        delivery: &Delivery,
        secret: Secret,
        world: &World,
    ) -> Result<Handed, JournalError> {
        self.redactor.learn(&secret);
        let to = self.redactor.redact(&delivery.way.place()).into_owned();
        let stamp = self.stamp(delivery);
        let (_, warrant) = self.journal.intend_delivery(&stamp, delivery, to, world)?;
        crash_point("before-deliver");
        let handed = self.send.deliver(warrant, delivery.clone(), secret).await;
        crash_point("after-deliver");
        self.settle(delivery, &handed, SettledBy::Answer)?;
        Ok(handed)
    }

    fn stamp(&self, delivery: &Delivery) -> Stamp {
        Stamp { at: self.clock.now(), run: Some(delivery.secret.run.clone()), ..self.stamp.clone() }
    }

    fn settle(&mut self, delivery: &Delivery, handed: &Handed, by: SettledBy) -> Result<(), JournalError> {
        let stamp = self.stamp(delivery);
        let settled = Event::DeliverySettled {
            effect: delivery.secret.effect.clone(),
            attempt: delivery.secret.attempt,
            sink: delivery.sink.clone(),
            outcome: handed.outcome.clone(),
            seen: self.redactor.redact(&handed.seen).into_owned(),
            by,
        };
        self.journal.append(&stamp, settled).map(drop)
    }
}
