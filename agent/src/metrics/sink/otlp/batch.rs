//! Points that travel together, within what receivers take.

use std::sync::Arc;

use super::super::Request;
use super::encode;
use crate::metrics::sample::{Kind, Sample, Tick};

/// The most points of a request: CloudWatch answers 400 to one of more.
pub(super) const MOST_POINTS: usize = 1000;

/// The most bytes of a request before it is compressed. Receivers take some megabytes;
/// CloudWatch's other calls take one.
const MOST_BYTES: usize = 1_000_000;

/// The most bytes of one point. No label of a host is that long.
const MOST_POINT_BYTES: usize = 16 * 1024;

/// A sample of a tick, and since when it counts.
#[derive(Debug, Clone)]
pub struct Point {
    pub(super) tick: Arc<Tick>,
    pub(super) index: usize,
    pub(super) start: u64,
}

impl Point {
    /// The sample.
    pub(super) fn sample(&self) -> Option<&Sample> {
        self.tick.samples.get(self.index)
    }
}

/// The points of the next request.
#[derive(Debug)]
pub(super) struct Batch {
    points: Vec<Point>,
    /// What they take at most, and what there is room for.
    bytes: usize,
    room: usize,
}

impl Batch {
    /// For requests about this resource; `None` where that leaves no room for points.
    pub(super) fn new(resource: &[(String, String)]) -> Option<Self> {
        let around = encode::most_empty_bytes(resource);
        let room = MOST_BYTES - around.min(MOST_BYTES);
        (around <= MOST_POINT_BYTES).then(|| Self { points: Vec::new(), bytes: 0, room })
    }

    /// How many points it holds.
    pub(super) fn len(&self) -> usize {
        self.points.len()
    }

    /// Adds a point; gives back the request that has no room for it.
    pub(super) fn add(&mut self, point: Point, bytes: usize) -> Option<Request<Vec<Point>>> {
        let full = self.points.len() >= MOST_POINTS || self.bytes + bytes > self.room;
        let request = if full { self.give() } else { None };
        self.points.push(point);
        self.bytes += bytes;
        request
    }

    /// Gives back what it holds.
    pub(super) fn give(&mut self) -> Option<Request<Vec<Point>>> {
        self.bytes = 0;
        let points = std::mem::take(&mut self.points);
        (!points.is_empty()).then(|| request(points))
    }
}

/// The halves of a request; nothing where it holds but one point.
pub(super) fn halves(points: &[Point]) -> Option<[Request<Vec<Point>>; 2]> {
    let (first, second) = points.split_at(points.len() / 2);
    (!first.is_empty()).then(|| [first, second].map(|half| request(half.to_vec())))
}

fn request(points: Vec<Point>) -> Request<Vec<Point>> {
    Request { measurements: points.len(), payload: points }
}

/// Whether a receiver can take a sample: a total is a number that is not negative, and no
/// attribute is there twice.
pub(super) fn is_sound(sample: &Sample) -> bool {
    let named = !sample.name.is_empty() && sample.labels.iter().all(|(name, _)| !name.is_empty());
    let counts = sample.kind == Kind::Gauge || sample.value >= 0.0;
    let mut labels = sample.labels.iter().enumerate();
    let unique = labels.all(|(place, (name, _))| {
        sample.labels[..place].iter().all(|(earlier, _)| earlier != name)
    });
    let fits = encode::most_bytes(sample) <= MOST_POINT_BYTES;
    named && counts && unique && fits && sample.value.is_finite()
}
