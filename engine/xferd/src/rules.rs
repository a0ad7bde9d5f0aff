//! The static rules: who may do what on which share.
//!
//! Order of decision, the first that says something decides:
//!
//! ```text
//! 1. a peer that only holds a join token      may connect and join, nothing else
//! 2. a share that is not there                NOT_FOUND
//! 3. read-only                                no push, replace or remove, whatever the rules say
//! 4. [[rule]]s in their order                 the first whose every condition fits
//! 5. the share's deny, then its allow         who is in no allow of a share that has one, may not
//! 6. they abstain                             policies decide; where none is installed, every enrolled account may
//! ```

use crate::config::{self, ActionKind, Config, Demands, Grant, Rule, Share, Who};
use crate::groups::Groups;
use base::codes::Code;
use base::hooks::{Action, Ask, Decision, Effect, Obligations, PathRule, Peer, Trail, Trust};
use base::ids::DecisionId;
use std::sync::Arc;

/// The one protocol a join token is good for.
const JOIN: &str = "xferd.join";

/// Rules and grants, compiled.
#[derive(Clone, Debug)]
pub struct Authorizer {
    generation: u32,
    rules: Vec<(Rule, Arc<str>, Obligations)>,
    shares: Vec<(Share, Reasons)>,
    groups: Arc<Groups>,
    join_only: Arc<str>,
    no_share: Arc<str>,
    default: Arc<str>,
    own: Arc<str>,
}

/// What the static rules say.
#[derive(Clone, Debug)]
pub enum Said {
    /// They decide.
    Decided(Decision),
    /// They say nothing. What holds where nobody else decides: the default. Its `read_only` holds in any case.
    Abstained(Decision),
}

impl Said {
    /// The decision where nobody else decides.
    pub fn or_default(self) -> Decision {
        match self {
            Self::Decided(decision) | Self::Abstained(decision) => decision,
        }
    }
}

#[derive(Clone, Debug)]
struct Reasons {
    read_only: Arc<str>,
    denied: Arc<str>,
    allowed: Arc<str>,
    not_allowed: Arc<str>,
}

impl Authorizer {
    /// The rules of a configuration, about these groups. Generations of one process only grow.
    pub fn new(config: &Config, groups: Arc<Groups>, generation: u32) -> Self {
        let rules = config.rules.iter().map(|rule| {
            let by: Arc<str> = format!("rule at {}", rule.origin).into();
            (rule.clone(), by, obligations(rule))
        });
        let shares = config.shares.iter().map(|share| (share.clone(), Reasons::of(share)));
        Self {
            generation,
            rules: rules.collect(),
            shares: shares.collect(),
            groups,
            join_only: "a join token may only join".into(),
            no_share: "no such share".into(),
            default: "every enrolled account may".into(),
            own: "xferd".into(),
        }
    }

    /// Which generation of the rules this is.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The groups it asks.
    pub fn groups(&self) -> Arc<Groups> {
        self.groups.clone()
    }

    /// Decides.
    pub fn decide(&self, ask: &Ask<'_>) -> Said {
        if let Trust::JoinToken(_) = ask.subject.trust {
            return Said::Decided(match ask.action {
                Action::Connect | Action::Invoke(JOIN) => self.allow(&self.join_only, false),
                _ => self.deny(Code::AuthRequired, &self.join_only),
            });
        }
        let share = match self.share_of(ask) {
            Ok(share) => share,
            Err(NoShare) => return Said::Decided(self.deny(Code::NotFound, &self.no_share)),
        };
        let read_only = share.is_some_and(|(share, _)| share.read_only);
        if let Some((_, reasons)) = share
            && read_only
            && is_write(ask.action)
        {
            return Said::Decided(self.deny(Code::ReadOnly, &reasons.read_only));
        }
        if let Some((rule, reason, obligations)) = self.rules.iter().find(|(rule, ..)| self.fits(rule, ask)) {
            let mut decision = match rule.effect {
                Effect::Allow => {
                    self.decision(Effect::Allow, Code::AccessDenied, reason, obligations.clone())
                }
                Effect::Deny => self.deny(Code::AccessDenied, reason),
            };
            decision.obligations.read_only |= read_only;
            decision.trail.by = reason.clone();
            return Said::Decided(decision);
        }
        let Some((share, reasons)) = share else { return Said::Abstained(self.allow(&self.default, false)) };
        if share.deny.iter().any(|grant| self.covers(grant, ask)) {
            return Said::Decided(self.deny(Code::AccessDenied, &reasons.denied));
        }
        match (share.allow.is_empty(), share.allow.iter().any(|grant| self.covers(grant, ask))) {
            (true, _) => Said::Abstained(self.allow(&self.default, read_only)),
            (false, true) => Said::Decided(self.allow(&reasons.allowed, read_only)),
            (false, false) => Said::Decided(self.deny(Code::AccessDenied, &reasons.not_allowed)),
        }
    }

    /// The share an action is about; the top of a daemon with named shares is none of them.
    fn share_of(&self, ask: &Ask<'_>) -> Result<Option<&(Share, Reasons)>, NoShare> {
        if matches!(ask.action, Action::Connect | Action::Invoke(_)) {
            return Ok(None);
        }
        match self.shares.iter().find(|(share, _)| share.name == ask.root) {
            Some(share) => Ok(Some(share)),
            None if ask.root.is_empty() && ask.action == Action::Browse => Ok(None),
            None => Err(NoShare),
        }
    }

    fn covers(&self, grant: &Grant, ask: &Ask<'_>) -> bool {
        let account = &*ask.subject.account;
        let who = match &grant.who {
            Who::Everyone => true,
            Who::Account(name) => name == account,
            Who::Group(name) => self.groups.is_in(account, name),
        };
        who && if is_write(ask.action) { grant.write } else { grant.read }
    }

    fn fits(&self, rule: &Rule, ask: &Ask<'_>) -> bool {
        let Peer { account, device, .. } = ask.subject;
        rule.account.as_deref().is_none_or(|wanted| wanted == &**account)
            && rule.group.as_deref().is_none_or(|wanted| self.groups.is_in(account, wanted))
            && rule.device.is_none_or(|wanted| wanted == *device)
            && (rule.actions.is_empty() || rule.actions.contains(&kind(ask.action)))
            && rule.share.as_deref().is_none_or(|wanted| wanted == ask.root && has_root(ask.action))
            && rule.protocol.as_deref().is_none_or(|wanted| ask.action == Action::Invoke(wanted))
    }

    fn allow(&self, reason: &Arc<str>, read_only: bool) -> Decision {
        self.decision(
            Effect::Allow,
            Code::AccessDenied,
            reason,
            Obligations { read_only, ..Obligations::NONE },
        )
    }

    fn deny(&self, code: Code, reason: &Arc<str>) -> Decision {
        self.decision(Effect::Deny, code, reason, Obligations::NONE)
    }

    fn decision(&self, effect: Effect, code: Code, reason: &Arc<str>, obligations: Obligations) -> Decision {
        Decision {
            id: DecisionId::default(),
            effect,
            code,
            reason: reason.clone(),
            generation: self.generation,
            until_ms: u64::MAX,
            obligations,
            trail: Trail { by: self.own.clone(), ..Trail::default() },
        }
    }
}

struct NoShare;

/// What a rule that allows demands.
fn obligations(rule: &Rule) -> Obligations {
    let Demands {
        bytes_max,
        files_max,
        bytes_per_second,
        stored_bytes_max,
        not_after_ms,
        read_only,
        store_as,
        label,
        notify,
    } = &rule.demands;
    let bound = |bound: &Option<u64>| bound.unwrap_or(u64::MAX);
    let text = |text: &Option<String>| text.as_deref().map(Arc::from);
    let paths: Vec<PathRule> = rule.paths.iter().map(path_rule).collect();
    Obligations {
        bytes_max: bound(bytes_max),
        files_max: bound(files_max),
        bytes_per_second: bound(bytes_per_second),
        stored_bytes_max: bound(stored_bytes_max),
        not_after_ms: bound(not_after_ms),
        read_only: *read_only,
        paths: if paths.is_empty() { Vec::new() } else { vec![paths.into()] },
        store_as: text(store_as),
        label: text(label),
        notify: text(notify),
    }
}

fn path_rule(rule: &config::PathRule) -> PathRule {
    PathRule {
        glob: rule.glob.as_str().into(),
        bytes_max: rule.bytes_max.unwrap_or(u64::MAX),
        effect: rule.effect,
        store_as: rule.store_as.as_deref().map(Arc::from),
        code: rule.code.as_deref().map_or_else(|| format!("path rule {}", rule.glob).into(), Arc::from),
    }
}

impl Reasons {
    fn of(share: &Share) -> Self {
        let name =
            if share.name.is_empty() { "the root".to_owned() } else { format!("share {}", share.name) };
        Self {
            read_only: format!("{name} is read-only").into(),
            denied: format!("deny of {name}").into(),
            allowed: format!("allow of {name}").into(),
            not_allowed: format!("not in allow of {name}").into(),
        }
    }
}

fn is_write(action: Action<'_>) -> bool {
    matches!(action, Action::Push | Action::Replace | Action::Remove)
}

fn has_root(action: Action<'_>) -> bool {
    !matches!(action, Action::Connect | Action::Invoke(_))
}

fn kind(action: Action<'_>) -> ActionKind {
    match action {
        Action::Connect => ActionKind::Connect,
        Action::Browse => ActionKind::Browse,
        Action::Pull => ActionKind::Pull,
        Action::Push => ActionKind::Push,
        Action::Replace => ActionKind::Replace,
        Action::Remove => ActionKind::Remove,
        Action::Invoke(_) => ActionKind::Invoke,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Flags, load};
    use crate::groups::tests::group;
    use base::hooks::{Fact, Facts};
    use base::ids::{DeviceId, PskId, SessionId};

    struct NoFacts;
    impl Facts for NoFacts {
        fn get(&self, _: &str) -> Option<Fact> {
            None
        }
    }

    fn authorizer(text: &str) -> Authorizer {
        among(text, &[])
    }

    /// Rules where there are these groups.
    fn among(text: &str, groups: &[state::Group]) -> Authorizer {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("x.toml");
        std::fs::write(&path, text).expect("written");
        let flags = Flags { config: Some(path), ..Flags::default() };
        let environment = Environment { variable: &|_| None, is_root: false, cpus: 1 };
        Authorizer::new(&load(&flags, &environment).expect("valid"), Arc::new(Groups::new(groups)), 7)
    }

    fn peer(account: &str, trust: Trust) -> Peer {
        Peer {
            device: DeviceId([account.len() as u8; 32]),
            account: account.into(),
            address: "127.0.0.1:1".parse().expect("address"),
            session: SessionId::default(),
            trust,
        }
    }

    /// `account action root` -> the code it is denied with, or "allow".
    fn ask(authorizer: &Authorizer, account: &str, action: Action<'_>, root: &str) -> &'static str {
        let trust = match account {
            "" => Trust::JoinToken(PskId::default()),
            _ => Trust::Certificate,
        };
        let subject = peer(account, trust);
        let ask = Ask { subject: &subject, action, root, facts: &NoFacts };
        let decision = authorizer.decide(&ask).or_default();
        assert_eq!(decision.generation, 7);
        match decision.effect {
            Effect::Allow => "allow",
            Effect::Deny => decision.code.name(),
        }
    }

    const ALL: [Action<'_>; 7] = [
        Action::Connect,
        Action::Browse,
        Action::Pull,
        Action::Push,
        Action::Replace,
        Action::Remove,
        Action::Invoke("xferd.status"),
    ];

    #[test]
    fn without_rules_every_enrolled_account_may() {
        let rules = authorizer("root = \"/srv\"\n");
        for action in ALL {
            assert_eq!(ask(&rules, "alice", action, ""), "allow", "{action:?}");
        }
    }

    #[test]
    fn a_join_token_joins_and_nothing_else() {
        let rules = authorizer("root = \"/srv\"\n[[rule]]\neffect = \"allow\"\n");
        assert_eq!(ask(&rules, "", Action::Connect, ""), "allow");
        assert_eq!(ask(&rules, "", Action::Invoke(JOIN), ""), "allow");
        for action in &ALL[1..] {
            assert_eq!(ask(&rules, "", *action, ""), "AUTH_REQUIRED", "{action:?}");
        }
    }

    // proves: V9, and a deny rule for each action.
    #[test]
    fn a_deny_rule_stops_exactly_its_action() {
        for denied in ALL {
            let text =
                format!("root = \"/srv\"\n[[rule]]\neffect = \"deny\"\naction = \"{}\"\n", denied.name());
            let rules = authorizer(&text);
            for action in ALL {
                let expected = if action == denied { "ACCESS_DENIED" } else { "allow" };
                assert_eq!(ask(&rules, "alice", action, ""), expected, "{denied:?} {action:?}");
            }
        }
    }

    #[test]
    fn read_only_holds_against_every_rule() {
        let rules = authorizer(
            "[[share]]\nname = \"a\"\npath = \"/a\"\nread-only = true\nallow = \"*:rw\"\n[[rule]]\neffect = \"allow\"\n",
        );
        for action in [Action::Push, Action::Replace, Action::Remove] {
            assert_eq!(ask(&rules, "alice", action, "a"), "READ_ONLY");
        }
        assert_eq!(ask(&rules, "alice", Action::Pull, "a"), "allow");
    }

    #[test]
    fn grants_restrict_a_share_and_deny_goes_first() {
        let rules = authorizer(
            "[[share]]\nname = \"a\"\npath = \"/a\"\nallow = [\"alice:rw\", \"bob:r\", \"eve:rw\"]\ndeny = \"eve:w\"\n\
             [[share]]\nname = \"b\"\npath = \"/b\"\n",
        );
        let table = [
            ("alice", Action::Push, "a", "allow"),
            ("bob", Action::Browse, "a", "allow"),
            ("bob", Action::Pull, "a", "allow"),
            ("bob", Action::Remove, "a", "ACCESS_DENIED"),
            ("eve", Action::Pull, "a", "allow"),
            ("eve", Action::Push, "a", "ACCESS_DENIED"),
            ("carol", Action::Browse, "a", "ACCESS_DENIED"),
            ("carol", Action::Push, "b", "allow"),
            ("carol", Action::Connect, "", "allow"),
            ("carol", Action::Browse, "", "allow"),
            ("carol", Action::Pull, "", "NOT_FOUND"),
            ("carol", Action::Pull, "c", "NOT_FOUND"),
        ];
        for (account, action, root, expected) in table {
            assert_eq!(ask(&rules, account, action, root), expected, "{account} {action:?} {root}");
        }
    }

    #[test]
    fn rules_and_grants_are_about_groups() {
        let text = "[[share]]\nname = \"a\"\npath = \"/a\"\nallow = [\"@ops:rw\", \"@dev:r\", \"@none:rw\"]\ndeny = \"@out\"\n\
             [[share]]\nname = \"b\"\npath = \"/b\"\n\
             [[rule]]\neffect = \"deny\"\ngroup = \"dev\"\nshare = \"b\"\naction = \"push\"\n\
             [[rule]]\neffect = \"deny\"\ngroup = \"dev\"\naccount = \"bob\"\nshare = \"b\"\naction = \"pull\"\n\
             [[rule]]\neffect = \"deny\"\ngroup = \"none\"\n";
        let groups = [
            group(1, "ops", &["alice", "eve"]),
            group(2, "dev", &["bob", "dave"]),
            group(3, "out", &["eve"]),
        ];
        let table = [
            ("alice", Action::Push, "a", "allow"),
            ("bob", Action::Pull, "a", "allow"),
            ("bob", Action::Push, "a", "ACCESS_DENIED"),
            ("eve", Action::Pull, "a", "ACCESS_DENIED"),
            ("carol", Action::Pull, "a", "ACCESS_DENIED"),
            ("bob", Action::Push, "b", "ACCESS_DENIED"),
            ("alice", Action::Push, "b", "allow"),
            ("bob", Action::Pull, "b", "ACCESS_DENIED"),
            ("dave", Action::Pull, "b", "allow"),
            ("dave", Action::Connect, "", "allow"),
        ];
        let rules = among(text, &groups);
        for (account, action, root, expected) in table {
            assert_eq!(ask(&rules, account, action, root), expected, "{account} {action:?} {root}");
        }
        // Where there are no such groups nobody is in them.
        let rules = among(text, &[]);
        assert_eq!(ask(&rules, "alice", Action::Pull, "a"), "ACCESS_DENIED");
        assert_eq!(ask(&rules, "bob", Action::Push, "b"), "allow");
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let device = DeviceId([5; 32]);
        let rules = authorizer(&format!(
            "[[share]]\nname = \"a\"\npath = \"/a\"\nallow = \"bob\"\n\
             [[rule]]\neffect = \"allow\"\naccount = \"carol\"\nshare = \"a\"\naction = \"pull\"\n\
             [[rule]]\neffect = \"deny\"\ndevice = \"{device}\"\n\
             [[rule]]\neffect = \"allow\"\naction = \"invoke\"\nprotocol = \"xferd.status\"\n\
             [[rule]]\neffect = \"deny\"\naction = \"invoke\"\n"
        ));
        let table = [
            ("carol", Action::Pull, "a", "allow"),
            ("carol", Action::Connect, "", "ACCESS_DENIED"),
            ("bob", Action::Invoke("xferd.status"), "", "allow"),
            ("bob", Action::Invoke("xferd.list"), "", "ACCESS_DENIED"),
            ("bob", Action::Push, "a", "allow"),
            ("dave", Action::Pull, "a", "ACCESS_DENIED"),
        ];
        for (account, action, root, expected) in table {
            assert_eq!(ask(&rules, account, action, root), expected, "{account} {action:?} {root}");
        }
    }
}
