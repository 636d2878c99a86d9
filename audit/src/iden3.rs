//! The binary `.r1cs` (version 1) and `.wtns` (version 2) files that circom's tools read, written
//! and read back.
//!
//! Our columns `[1, instances…, witnesses…]` are already in the order the format wants: the
//! constant wire, public outputs (none), public inputs, private inputs. Numbers are little-endian,
//! field elements canonical.

use std::collections::BTreeMap;

use ark_ff::{BigInteger, PrimeField};
use zkmargin_circuits::cs::{Label, R1cs, Role, SparseMatrix};

use crate::AuditError;

const HEADER: u32 = 1;
const CONSTRAINTS: u32 = 2;
const WIRE_LABELS: u32 = 3;
const VALUES: u32 = 2;

fn field_bytes<F: PrimeField>() -> usize {
    F::MODULUS_BIT_SIZE.div_ceil(64) as usize * 8
}

fn put<F: PrimeField>(out: &mut Vec<u8>, number: F::BigInt) {
    let mut bytes = number.to_bytes_le();
    bytes.resize(field_bytes::<F>(), 0);
    out.extend(bytes);
}

fn put_u32(out: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("sizes in a circuit are below 2^32");
    out.extend(number.to_le_bytes());
}

fn file(magic: &[u8; 4], version: u32, sections: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut out = magic.to_vec();
    out.extend(version.to_le_bytes());
    put_u32(&mut out, sections.len());
    for (kind, content) in sections {
        out.extend(kind.to_le_bytes());
        out.extend((content.len() as u64).to_le_bytes());
        out.extend(content);
    }
    out
}

/// The circuit as an `.r1cs` file. Wire labels are the wire numbers.
pub fn write_r1cs<F: PrimeField>(r1cs: &R1cs<F>) -> Vec<u8> {
    let wires = r1cs.instances + r1cs.witnesses;
    let mut header = Vec::new();
    put_u32(&mut header, field_bytes::<F>());
    put::<F>(&mut header, F::MODULUS);
    for size in [wires, 0, r1cs.instances - 1, r1cs.witnesses] {
        put_u32(&mut header, size);
    }
    header.extend((wires as u64).to_le_bytes());
    put_u32(&mut header, r1cs.constraints());
    let mut constraints = Vec::new();
    for row in 0..r1cs.constraints() {
        for matrix in [&r1cs.a, &r1cs.b, &r1cs.c] {
            put_u32(&mut constraints, matrix.offsets[row + 1] - matrix.offsets[row]);
            for (column, coefficient) in matrix.row(row) {
                put_u32(&mut constraints, column);
                put::<F>(&mut constraints, r1cs.coefficients[coefficient].into_bigint());
            }
        }
    }
    let labels = (0..wires as u64).flat_map(u64::to_le_bytes).collect();
    file(b"r1cs", 1, &[(HEADER, header), (CONSTRAINTS, constraints), (WIRE_LABELS, labels)])
}

/// The assignment `[1, instances…, witnesses…]` as a `.wtns` file.
pub fn write_wtns<F: PrimeField>(assignment: &[F]) -> Vec<u8> {
    let mut header = Vec::new();
    put_u32(&mut header, field_bytes::<F>());
    put::<F>(&mut header, F::MODULUS);
    put_u32(&mut header, assignment.len());
    let mut values = Vec::with_capacity(assignment.len() * field_bytes::<F>());
    assignment.iter().for_each(|value| put::<F>(&mut values, value.into_bigint()));
    file(b"wtns", 2, &[(HEADER, header), (VALUES, values)])
}

/// A cursor that knows where it is in the file.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    fn fail<T>(&self, what: &'static str) -> Result<T, AuditError> {
        Err(AuditError::Format { what, offset: self.at })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], AuditError> {
        if count > self.end - self.at {
            return self.fail("the file ends early");
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, AuditError> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes")))
    }

    fn u64(&mut self) -> Result<u64, AuditError> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes")))
    }

    fn element<F: PrimeField>(&mut self) -> Result<F, AuditError> {
        let start = self.at;
        let value = F::from_le_bytes_mod_order(self.take(field_bytes::<F>())?);
        let mut canonical = Vec::new();
        put::<F>(&mut canonical, value.into_bigint());
        if canonical != self.bytes[start..self.at] {
            return self.fail("a field element is not canonical");
        }
        Ok(value)
    }

    fn field<F: PrimeField>(&mut self) -> Result<(), AuditError> {
        if self.u32()? as usize != field_bytes::<F>() {
            return self.fail("the field has another size");
        }
        let mut modulus = Vec::new();
        put::<F>(&mut modulus, F::MODULUS);
        if self.take(modulus.len())? != modulus {
            return self.fail("the field has another modulus");
        }
        Ok(())
    }

    fn finished(&self) -> Result<(), AuditError> {
        if self.at == self.end { Ok(()) } else { self.fail("bytes are left over") }
    }
}

/// The sections of a file by kind, each as a cursor of its own.
fn sections<'a>(
    bytes: &'a [u8],
    magic: &[u8; 4],
    version: u32,
) -> Result<BTreeMap<u32, Reader<'a>>, AuditError> {
    let mut reader = Reader { bytes, at: 0, end: bytes.len() };
    if reader.take(4)? != magic || reader.u32()? != version {
        return reader.fail("the file is of another kind or version");
    }
    let mut found = BTreeMap::new();
    for _ in 0..reader.u32()? {
        let kind = reader.u32()?;
        let Ok(size) = usize::try_from(reader.u64()?) else {
            return reader.fail("a section is too long");
        };
        let at = reader.at;
        reader.take(size)?;
        if found.insert(kind, Reader { bytes, at, end: at + size }).is_some() {
            return reader.fail("a section occurs twice");
        }
    }
    reader.finished()?;
    Ok(found)
}

fn section<'a>(found: &mut BTreeMap<u32, Reader<'a>>, kind: u32) -> Result<Reader<'a>, AuditError> {
    found.remove(&kind).ok_or(AuditError::Format { what: "a section is missing", offset: 0 })
}

/// Reads an `.r1cs` file of this field. Names and labels are not part of the format: every witness
/// counts as derived. Entries must be in canonical order.
pub fn read_r1cs<F: PrimeField>(bytes: &[u8]) -> Result<R1cs<F>, AuditError> {
    let mut found = sections(bytes, b"r1cs", 1)?;
    let mut header = section(&mut found, HEADER)?;
    header.field::<F>()?;
    let mut size = || header.u32().map(|size| size as usize);
    let (wires, outputs, inputs, private) = (size()?, size()?, size()?, size()?);
    header.u64()?;
    let rows = header.u32()? as usize;
    header.finished()?;
    let instances = 1 + outputs + inputs;
    if wires < instances || private > wires - instances {
        return header.fail("there are fewer wires than inputs");
    }
    let mut constraints = section(&mut found, CONSTRAINTS)?;
    let mut interned = BTreeMap::new();
    let mut coefficients = Vec::new();
    let mut matrices = [(); 3].map(|()| SparseMatrix { offsets: vec![0], ..Default::default() });
    for _ in 0..rows {
        for matrix in &mut matrices {
            for _ in 0..constraints.u32()? {
                matrix.columns.push(constraints.u32()?);
                let value: F = constraints.element()?;
                let next = coefficients.len() as u32;
                matrix.coefficients.push(*interned.entry(value.into_bigint()).or_insert_with(
                    || {
                        coefficients.push(value);
                        next
                    },
                ));
            }
            matrix.offsets.push(matrix.columns.len());
        }
    }
    constraints.finished()?;
    let [a, b, c] = matrices;
    let label = Label { rule: None, what: "imported", row: None };
    let r1cs = R1cs {
        instances,
        witnesses: wires - instances,
        coefficients,
        a,
        b,
        c,
        labels: vec![(0, label)],
        names: vec![(0, "imported", Role::Derived)],
    };
    crate::matrices::check_canonical(&r1cs)?;
    Ok(r1cs)
}

/// Reads a `.wtns` file of this field as `[1, instances…, witnesses…]`.
pub fn read_wtns<F: PrimeField>(bytes: &[u8]) -> Result<Vec<F>, AuditError> {
    let mut found = sections(bytes, b"wtns", 2)?;
    let mut header = section(&mut found, HEADER)?;
    header.field::<F>()?;
    let count = header.u32()?;
    header.finished()?;
    let mut values = section(&mut found, VALUES)?;
    let assignment = (0..count).map(|_| values.element()).collect::<Result<Vec<F>, _>>()?;
    values.finished()?;
    Ok(assignment)
}
