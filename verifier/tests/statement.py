"""Independent computation of the domain, challenge and value in `files.rs`. Run: python3 statement.py"""

P = 21888242871839275222246405745257275088548364400416034343698204186575808495617
MASK = (1 << 64) - 1


def keccak256(data: bytes) -> bytes:
    """Keccak-256 with the original padding byte 0x01, from the permutation's specification."""

    def rotate(value, by):
        return (value << by | value >> (64 - by)) & MASK if by else value

    def permute(lanes):
        lfsr = 1
        for _ in range(24):
            column = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
            for i in range(25):
                lanes[i] ^= column[(i + 4) % 5] ^ rotate(column[(i + 1) % 5], 1)
            x, y, current = 1, 0, lanes[1]
            for t in range(24):
                x, y = y, (2 * x + 3 * y) % 5
                current, lanes[x + 5 * y] = lanes[x + 5 * y], rotate(current, (t + 1) * (t + 2) // 2 % 64)
            for y in range(0, 25, 5):
                row = lanes[y : y + 5]
                for x in range(5):
                    lanes[y + x] = row[x] ^ (~row[(x + 1) % 5] & MASK & row[(x + 2) % 5])
            for j in range(7):
                if lfsr & 1:
                    lanes[0] ^= 1 << ((1 << j) - 1)
                lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)

    rate = 136
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % rate))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), rate):
        for i in range(rate // 8):
            lanes[i] ^= int.from_bytes(padded[start + 8 * i : start + 8 * i + 8], "little")
        permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


def word(value):
    return value.to_bytes(32, "big")


def to_field(data):
    return int.from_bytes(keccak256(data), "big") % P


address = int.from_bytes(b"\x11" * 20, "big")
domain = to_field(keccak256(b"zkmargin.statement.domain") + word(1) + word(31_337) + word(address))
words = [1, domain, 2, P - 1]
r = to_field(word(domain) + word(5) + word(len(words)) + b"".join(map(word, words)))
print("DOMAIN", domain)
print("CHALLENGE", r)
print("VALUE", sum(w * pow(r, k, P) for k, w in enumerate(words)) % P)
