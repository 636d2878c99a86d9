use ark_bn254::{Fr, g1, g2};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::UniformRand;
use std::time::Instant;
use zkmargin_prover::msm::msm;
fn points<P: SWCurveConfig>(count: usize) -> Vec<Affine<P>> {
    let mut rng = rand::thread_rng();
    let base = Projective::<P>::rand(&mut rng);
    let step = Projective::<P>::rand(&mut rng);
    let chain: Vec<_> = std::iter::successors(Some(base), |p| Some(*p + step)).take(count).collect();
    Projective::normalize_batch(&chain)
}
fn go<P: SWCurveConfig<ScalarField = Fr>>(logs: &[u32]) {
    let pts = points::<P>(1 << logs.last().unwrap());
    let mut rng = rand::thread_rng();
    let scalars: Vec<Fr> = (0..pts.len()).map(|_| Fr::rand(&mut rng)).collect();
    for &l in logs {
        let n = 1 << l;
        let t = Instant::now();
        let a = msm(&pts[..n], &scalars[..n]);
        let ours = t.elapsed();
        let t = Instant::now();
        let b = Projective::<P>::msm(&pts[..n], &scalars[..n]).unwrap();
        let ark = t.elapsed();
        assert_eq!(a, b);
        println!("2^{l}: ours {ours:?} ark {ark:?} ratio {:.2} ns/add16 {:.0}", ark.as_secs_f64() / ours.as_secs_f64(), ours.as_nanos() as f64 / (n as f64 * 16.0));
    }
}
fn main() {
    go::<g1::Config>(&[8, 10, 12, 14, 16, 18, 20]);
    go::<g2::Config>(&[12, 14, 16, 18]);
}
