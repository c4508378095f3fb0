//! An Auto Scaling API with one group and one instance, for what moto does not do:
//! hooks that wait, are kept waiting and are completed, as the documented states say.
//!
//! Faults are ordered by the name of the operation; each call is recorded with its time,
//! whether it was answered or not.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::Response;

use super::fault::{Fault, Faults};
use super::server::{Asked, Server, Service, text};

/// The group of the fake.
pub(crate) const GROUP: &str = "web-asg";

const LAUNCHING: &str = "autoscaling:EC2_INSTANCE_LAUNCHING";
const TERMINATING: &str = "autoscaling:EC2_INSTANCE_TERMINATING";

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    pub(crate) action: String,
    form: Vec<(String, String)>,
    pub(crate) at: Instant,
}

impl Called {
    fn of(asked: &Asked) -> Self {
        let mut called = Self { action: String::new(), form: form(asked), at: Instant::now() };
        called.action = called.field("Action").to_owned();
        called
    }

    /// A field of the call, empty when it is absent.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

#[derive(Debug)]
struct Hook {
    name: String,
    transition: &'static str,
    heartbeat: u32,
    done: bool,
}

#[derive(Debug, Default)]
struct State {
    /// `None`: the instance is in no group.
    instance: Option<(String, String)>,
    hooks: Vec<Hook>,
    health: String,
    calls: Vec<Called>,
}

/// The running fake.
#[derive(Debug)]
pub(crate) struct AutoScaling {
    server: Server,
    state: Arc<Mutex<State>>,
    /// Orders for things to go wrong.
    pub(crate) faults: Faults,
}

impl AutoScaling {
    /// Serves on `listener` a group whose instance is in this state.
    pub(crate) fn start(listener: TcpListener, instance: &str, state: &str) -> Self {
        let instance = Some((instance.to_owned(), state.to_owned()));
        let state = Arc::new(Mutex::new(State { instance, ..State::default() }));
        let faults = Faults::default();
        let server = Server::start(listener, faults.clone(), Group(Arc::clone(&state)));
        Self { server, state, faults }
    }

    /// Adds a hook of the launch that waits this many seconds for a heartbeat.
    pub(crate) fn launch_hook(&self, name: &str, heartbeat: u32) {
        self.hook(name, LAUNCHING, heartbeat);
    }

    /// Adds a hook of the end.
    pub(crate) fn terminate_hook(&self, name: &str, heartbeat: u32) {
        self.hook(name, TERMINATING, heartbeat);
    }

    fn hook(&self, name: &str, transition: &'static str, heartbeat: u32) {
        let name = name.to_owned();
        lock(&self.state).hooks.push(Hook { name, transition, heartbeat, done: false });
    }

    /// The instance is in this state from now on, and every hook waits anew.
    pub(crate) fn now(&self, state: &str) {
        let mut guard = lock(&self.state);
        guard.hooks.iter_mut().for_each(|hook| hook.done = false);
        if let Some((_, current)) = &mut guard.instance {
            *current = state.to_owned();
        }
    }

    /// The state that the instance is in.
    pub(crate) fn state(&self) -> String {
        lock(&self.state).instance.clone().map(|(_, state)| state).unwrap_or_default()
    }

    /// What was said of the instance's health.
    pub(crate) fn health(&self) -> String {
        lock(&self.state).health.clone()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The address for `AWS_ENDPOINT_URL_AUTO_SCALING`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The role of the instance may not do this.
    pub(crate) fn deny(&self, action: &str) {
        self.faults.always(action, Fault::Status(403, error("AccessDenied", "not authorized")));
    }

    /// Every call so far.
    pub(crate) fn calls(&self) -> Vec<Called> {
        lock(&self.state).calls.clone()
    }

    /// Every call of one operation.
    pub(crate) fn called(&self, action: &str) -> Vec<Called> {
        self.calls().into_iter().filter(|call| call.action == action).collect()
    }

    /// What was called so far, in order, each row of the same calls once.
    pub(crate) fn order(&self) -> Vec<String> {
        let mut order: Vec<_> = self.calls().into_iter().map(|call| call.action).collect();
        order.dedup();
        order
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn form(asked: &Asked) -> Vec<(String, String)> {
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    let fields = body.split('&').filter_map(|field| field.split_once('='));
    fields.map(|(key, value)| (plain(key), plain(value))).collect()
}

struct Group(Arc<Mutex<State>>);

impl Service for Group {
    /// The operation. Every call passes here, also those that go wrong.
    fn place(&self, asked: &Asked) -> String {
        let called = Called::of(asked);
        let action = called.action.clone();
        lock(&self.0).calls.push(called);
        action
    }

    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        let called = Called::of(asked);
        if !asked.header("authorization").contains("/autoscaling/aws4_request") {
            return text(403, &error("MissingAuthenticationToken", "the call is not signed"));
        }
        match answer(&mut lock(&self.0), &called) {
            Ok(inner) => text(200, &result(&called.action, &inner)),
            Err(message) => text(400, &error("ValidationError", &message)),
        }
    }

    fn throttled(&self) -> Response<Bytes> {
        text(400, &error("Throttling", "Rate exceeded"))
    }
}

fn answer(state: &mut State, called: &Called) -> Result<String, String> {
    match called.action.as_str() {
        "DescribeAutoScalingInstances" => {
            let asked = called.field("InstanceIds.member.1");
            let found = state.instance.iter().filter(|(id, _)| id == asked);
            let members = found.map(|(id, state)| {
                format!(
                    "<member><InstanceId>{id}</InstanceId><LifecycleState>{state}</LifecycleState>\
                     <AutoScalingGroupName>{GROUP}</AutoScalingGroupName></member>"
                )
            });
            let members: String = members.collect();
            Ok(format!("<AutoScalingInstances>{members}</AutoScalingInstances>"))
        }
        "DescribeLifecycleHooks" => {
            group(called)?;
            let members = state.hooks.iter().map(|hook| {
                let Hook { name, transition, heartbeat, .. } = hook;
                let most = (heartbeat * 100).min(172_800);
                format!(
                    "<member><LifecycleHookName>{name}</LifecycleHookName>\
                     <AutoScalingGroupName>{GROUP}</AutoScalingGroupName>\
                     <LifecycleTransition>{transition}</LifecycleTransition>\
                     <HeartbeatTimeout>{heartbeat}</HeartbeatTimeout>\
                     <GlobalTimeout>{most}</GlobalTimeout>\
                     <DefaultResult>ABANDON</DefaultResult></member>"
                )
            });
            let members: String = members.collect();
            Ok(format!("<LifecycleHooks>{members}</LifecycleHooks>"))
        }
        "RecordLifecycleActionHeartbeat" => active(state, called).map(|_| String::new()),
        "CompleteLifecycleAction" => {
            let word = called.field("LifecycleActionResult");
            if !["CONTINUE", "ABANDON"].contains(&word) {
                return Err(format!("'{word}' is no result"));
            }
            let transition = {
                let hook = active(state, called)?;
                hook.done = true;
                hook.transition
            };
            let mut hooks = state.hooks.iter();
            let last = hooks.all(|hook| hook.done || hook.transition != transition);
            if let Some((_, state)) = state.instance.as_mut().filter(|_| last || word == "ABANDON")
            {
                *state = state.replace(":Wait", ":Proceed");
            }
            Ok(String::new())
        }
        "SetInstanceHealth" => {
            if called.field("ShouldRespectGracePeriod") != "true" {
                return Err("it does not respect the grace period".to_owned());
            }
            state.health = called.field("HealthStatus").to_owned();
            Ok(String::new())
        }
        action => Err(format!("no operation {action}")),
    }
}

fn group(called: &Called) -> Result<(), String> {
    match called.field("AutoScalingGroupName") {
        GROUP => Ok(()),
        other => Err(format!("AutoScalingGroup name not found - no such group: {other}")),
    }
}

/// The hook that waits, which must be the one that the call names: of several the first.
fn active<'a>(state: &'a mut State, called: &Called) -> Result<&'a mut Hook, String> {
    group(called)?;
    let (id, place) = state.instance.clone().unwrap_or_default();
    let none = || format!("No active Lifecycle Action found with instance ID {id}");
    let transition = match place.trim_start_matches("Warmed:") {
        "Pending:Wait" => LAUNCHING,
        "Terminating:Wait" => TERMINATING,
        _ => return Err(none()),
    };
    let mut hooks = state.hooks.iter_mut();
    let hook = hooks.find(|hook| hook.transition == transition && !hook.done);
    let named = (called.field("InstanceId"), called.field("LifecycleHookName"));
    hook.filter(|hook| named == (id.as_str(), hook.name.as_str())).ok_or_else(none)
}

fn result(action: &str, inner: &str) -> String {
    let space = "http://autoscaling.amazonaws.com/doc/2011-01-01/";
    format!(
        "<{action}Response xmlns=\"{space}\"><{action}Result>{inner}</{action}Result>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )
}
