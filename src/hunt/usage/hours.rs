use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a team works. Nothing of it is guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Days of the week: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`.
    pub days: Vec<String>,
    /// Begin of the day's work: `09:00`.
    pub begin: String,
    /// Its end: `18:00`. An end before the begin is on the next day.
    pub end: String,
    /// Time zone, by its name: `Europe/Berlin`, `UTC`.
    pub zone: String,
}

/// [`Hours`], understood.
#[derive(Debug, Clone)]
pub struct WorkingHours {
    days: Vec<Weekday>,
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl Hours {
    /// Understands them.
    ///
    /// # Errors
    /// What is not understood, in words.
    pub fn read(&self) -> Result<WorkingHours, String> {
        let time = |text: &str| {
            Time::strptime("%H:%M", text.trim()).map_err(|_| format!("`{text}` is no time of day such as `09:00`"))
        };
        let day = |text: &String| {
            let named = [
                ("mon", Weekday::Monday),
                ("tue", Weekday::Tuesday),
                ("wed", Weekday::Wednesday),
                ("thu", Weekday::Thursday),
                ("fri", Weekday::Friday),
                ("sat", Weekday::Saturday),
                ("sun", Weekday::Sunday),
            ];
            let day = named.iter().find(|(name, _)| text.trim().eq_ignore_ascii_case(name));
            day.map(|(_, day)| *day).ok_or_else(|| format!("`{text}` is no day of the week such as `mon`"))
        };
        Ok(WorkingHours {
            days: self.days.iter().map(day).collect::<Result<_, _>>()?,
            from: time(&self.begin)?,
            to: time(&self.end)?,
            zone: TimeZone::get(self.zone.trim())
                .map_err(|_| format!("this machine knows no time zone `{}`", self.zone))?,
        })
    }
}

impl WorkingHours {
    /// Whether the team works then.
    pub fn contains(&self, at: Timestamp) -> bool {
        let local = at.to_zoned(self.zone.clone());
        let (day, time) = (local.weekday(), local.time());
        let works_on = |day: Weekday| self.days.contains(&day);
        if self.from < self.to {
            return works_on(day) && self.from <= time && time < self.to;
        }
        // Through the night: the hours after midnight belong to the day before.
        (works_on(day) && self.from <= time) || (works_on(day.previous()) && time < self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::Hours;

    fn hours(from: &str, to: &str, zone: &str) -> Hours {
        let days = ["mon", "Tue", "wed", "thu", "fri"].map(str::to_owned).into();
        Hours { days, begin: from.into(), end: to.into(), zone: zone.into() }
    }

    #[test]
    fn work_is_told_by_the_clock_of_its_place() {
        let works = |hours: &Hours, at: &str| hours.read().unwrap().contains(at.parse().unwrap());
        // The 20th of November 2026 is a Friday.
        let day = hours("09:00", "18:00", "UTC");
        assert!(works(&day, "2026-11-20T09:00:00Z") && works(&day, "2026-11-20T17:59:59Z"));
        assert!(!works(&day, "2026-11-20T18:00:00Z") && !works(&day, "2026-11-21T10:00:00Z"));
        let night = hours("22:00", "06:00", "UTC");
        assert!(works(&night, "2026-11-20T23:00:00Z") && works(&night, "2026-11-21T05:00:00Z"));
        assert!(!works(&night, "2026-11-21T23:00:00Z") && !works(&night, "2026-11-20T12:00:00Z"));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(hours("9 am", "18:00", "UTC").read().unwrap_err(), "`9 am` is no time of day such as `09:00`");
        let nowhere = hours("09:00", "18:00", "Europe/Nowhere").read().unwrap_err();
        assert_eq!(nowhere, "this machine knows no time zone `Europe/Nowhere`");
        let mut week = hours("09:00", "18:00", "UTC");
        week.days.push("someday".to_owned());
        assert_eq!(week.read().unwrap_err(), "`someday` is no day of the week such as `mon`");
    }
}
