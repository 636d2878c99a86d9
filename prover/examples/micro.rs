use ark_bn254::{Fq, Fq2, G1Affine, g1};
use ark_ff::{Field, UniformRand};
use ark_ec::{AffineRepr, CurveGroup};
use std::time::Instant;
use zkmargin_prover::affine::{BatchAdder, sum_groups};
fn main() {
    let mut rng = rand::thread_rng();
    let v: Vec<Fq> = (0..1024).map(|_| Fq::rand(&mut rng)).collect();
    let n = 4_000_000usize;
    let mut x = v[0];
    let t = Instant::now();
    for k in 0..n { x *= v[k & 1023]; }
    println!("dep mul {:.1} ns", t.elapsed().as_nanos() as f64 / n as f64);
    let mut w = v.clone();
    let t = Instant::now();
    for _ in 0..n / 1024 { for k in 0..1024 { w[k] *= v[k]; } }
    println!("thr mul {:.1} ns", t.elapsed().as_nanos() as f64 / n as f64);
    let t = Instant::now();
    for _ in 0..n / 1024 { for k in 0..1024 { w[k].square_in_place(); } }
    println!("thr sqr {:.1} ns", t.elapsed().as_nanos() as f64 / n as f64);
    let t = Instant::now();
    for _ in 0..n / 1024 { for k in 0..1024 { w[k] -= v[k]; } }
    println!("thr sub {:.1} ns", t.elapsed().as_nanos() as f64 / n as f64);
    let t = Instant::now();
    for k in 0..1000 { x = x + v[k].inverse().unwrap(); }
    println!("inv {:.1} ns", t.elapsed().as_nanos() as f64 / 1000.);
    let v2: Vec<Fq2> = (0..1024).map(|_| Fq2::rand(&mut rng)).collect();
    let mut w2 = v2.clone();
    let t = Instant::now();
    for _ in 0..n / 4096 { for k in 0..1024 { w2[k] *= v2[k]; } }
    println!("thr mul2 {:.1} ns", t.elapsed().as_nanos() as f64 / (n/4) as f64);
    let p = ark_bn254::G1Projective::rand(&mut rng);
    let chain: Vec<_> = std::iter::successors(Some(p), |q| Some(*q + p.into_affine())).take(1 << 14).collect();
    let pts = ark_bn254::G1Projective::normalize_batch(&chain);
    let mut out = vec![G1Affine::identity(); pts.len()];
    let mut adder = BatchAdder::<g1::Config>::default();
    for reps in 0..3 {
    let t = Instant::now();
    for _ in 0..50 { for k in 0..pts.len() - 1 { adder.add(pts[k], pts[k + 1], k, &mut out); } adder.flush(&mut out); }
    println!("affine add {:.1} ns", t.elapsed().as_nanos() as f64 / 50. / pts.len() as f64);
    let entries: Vec<u32> = (0..pts.len() as u32).collect();
    let t = Instant::now();
    let mut s = G1Affine::identity();
    for _ in 0..20 { s = sum_groups(&pts, &entries, &[0, pts.len()])[0]; }
    println!("group add {:.1} ns {reps}", t.elapsed().as_nanos() as f64 / 20. / pts.len() as f64);
    let mut acc = p; let t = Instant::now();
    for q in &pts { acc += q; }
    println!("proj add {:.1} ns {}", t.elapsed().as_nanos() as f64 / pts.len() as f64, (acc + s).into_affine().x == x);
    }
}
