//! The MQ encoder (ISO/IEC 15444-1, annex C.2), and raw bits.

/// Table C.2: Qe, NMPS, NLPS, SWITCH.
#[rustfmt::skip]
const TABLE: [(u32, usize, usize, usize); 47] = [
    (0x5601, 1, 1, 1), (0x3401, 2, 6, 0), (0x1801, 3, 9, 0), (0x0ac1, 4, 12, 0), (0x0521, 5, 29, 0), (0x0221, 38, 33, 0),
    (0x5601, 7, 6, 1), (0x5401, 8, 14, 0), (0x4801, 9, 14, 0), (0x3801, 10, 14, 0), (0x3001, 11, 17, 0), (0x2401, 12, 18, 0),
    (0x1c01, 13, 20, 0), (0x1601, 29, 21, 0), (0x5601, 15, 14, 1), (0x5401, 16, 14, 0), (0x5101, 17, 15, 0), (0x4801, 18, 16, 0),
    (0x3801, 19, 17, 0), (0x3401, 20, 18, 0), (0x3001, 21, 19, 0), (0x2801, 22, 19, 0), (0x2401, 23, 20, 0), (0x2201, 24, 21, 0),
    (0x1c01, 25, 22, 0), (0x1801, 26, 23, 0), (0x1601, 27, 24, 0), (0x1401, 28, 25, 0), (0x1201, 29, 26, 0), (0x1101, 30, 27, 0),
    (0x0ac1, 31, 28, 0), (0x09c1, 32, 29, 0), (0x08a1, 33, 30, 0), (0x0521, 34, 31, 0), (0x0441, 35, 32, 0), (0x02a1, 36, 33, 0),
    (0x0221, 37, 34, 0), (0x0141, 38, 35, 0), (0x0111, 39, 36, 0), (0x0085, 40, 37, 0), (0x0049, 41, 38, 0), (0x0025, 42, 39, 0),
    (0x0015, 43, 40, 0), (0x0009, 44, 41, 0), (0x0005, 45, 42, 0), (0x0001, 45, 43, 0), (0x5601, 46, 46, 0),
];

/// The contexts: I(CX) and MPS(CX).
pub struct Mq {
    index: [usize; 19],
    mps: [usize; 19],
}

impl Mq {
    /// Table D.7.
    pub fn new() -> Self {
        let mut index = [0; 19];
        (index[0], index[17], index[18]) = (4, 3, 46);
        Self {
            index,
            mps: [0; 19],
        }
    }

    /// Figures C.3 to C.7.
    pub fn encode(&mut self, register: &mut Register, cx: usize, bit: bool) {
        let (qe, nmps, nlps, switch) = TABLE[self.index[cx]];
        register.a -= qe;
        if usize::from(bit) == self.mps[cx] {
            if register.a & 0x8000 != 0 {
                register.c += qe;
                return;
            }
            if register.a < qe {
                register.a = qe;
            } else {
                register.c += qe;
            }
            self.index[cx] = nmps;
        } else {
            if register.a < qe {
                register.c += qe;
            } else {
                register.a = qe;
            }
            self.mps[cx] ^= switch;
            self.index[cx] = nlps;
        }
        register.renormalise();
    }
}

/// The registers of the encoder. `bytes` begins with the one before the first (BP = BPST - 1).
pub struct Register {
    a: u32,
    c: u32,
    ct: u32,
    bytes: Vec<u8>,
}

impl Register {
    /// Figure C.10.
    pub fn new() -> Self {
        Self {
            a: 0x8000,
            c: 0,
            ct: 12,
            bytes: vec![0],
        }
    }

    /// Figure C.8.
    fn renormalise(&mut self) {
        loop {
            self.a <<= 1;
            self.c <<= 1;
            self.ct -= 1;
            if self.ct == 0 {
                self.byte_out();
            }
            if self.a & 0x8000 != 0 {
                return;
            }
        }
    }

    /// Figure C.9.
    fn byte_out(&mut self) {
        let last = self.bytes.last_mut().expect("it begins with one");
        if *last != 0xff && self.c >= 0x800_0000 {
            *last += 1;
            if *last == 0xff {
                self.c &= 0x7ff_ffff;
            }
        }
        if *last == 0xff {
            self.bytes.push((self.c >> 20) as u8);
            self.c &= 0xf_ffff;
            self.ct = 7;
        } else {
            self.bytes.push((self.c >> 19) as u8);
            self.c &= 0x7_ffff;
            self.ct = 8;
        }
    }

    /// Figures C.11 and C.12.
    pub fn flush(mut self) -> Vec<u8> {
        let top = self.c + self.a;
        self.c |= 0xffff;
        if self.c >= top {
            self.c -= 0x8000;
        }
        for _ in 0..2 {
            self.c <<= self.ct;
            self.byte_out();
        }
        if self.bytes.last() == Some(&0xff) {
            self.bytes.pop();
        }
        self.bytes.split_off(1)
    }
}

/// Raw bits with stuffing (D.6).
#[derive(Default)]
pub struct Bits {
    bytes: Vec<u8>,
    byte: u8,
    held: u32,
}

impl Bits {
    pub fn put(&mut self, bit: bool) {
        self.byte = self.byte << 1 | u8::from(bit);
        self.held += 1;
        let room = if self.bytes.last() == Some(&0xff) {
            7
        } else {
            8
        };
        if self.held == room {
            self.bytes.push(self.byte);
            (self.byte, self.held) = (0, 0);
        }
    }

    /// The rest is filled with 0 and 1 in turn; a segment does not end with 0xFF.
    pub fn flush(mut self) -> Vec<u8> {
        let mut fill = false;
        while self.held > 0 {
            self.put(fill);
            fill = !fill;
        }
        if self.bytes.last() == Some(&0xff) {
            self.bytes.pop();
        }
        self.bytes
    }
}
