"""What both drivers share: the known failures of the validators, and the judgement.

A test listed here must fail, and exactly in the way described: a pass is as wrong as another failure, because it says
that the server no longer follows the specification, or that the validator has been mended and the entry must go.
"""

import re

LARGER_BOX = (
    "Image API 3.0 section 4.2: `!w,h` is as large as possible, but not larger than the region. A box larger than the "
    "image is thus no error; the validator wants one for !2000,3000."
)
LARGEST_SIZE = (
    "Image API 3.0 section 4.2: `^max` is enlarged to the declared maxArea. The validator expects 1000x1000, the size "
    "of its image, and yet that larger sizes can be asked for."
)
PYTHON_2 = "The validator compares bytes with a str, which in Python 3 are never equal. The other validator tests webp."

# (validator, version, test): (pattern that the whole failure must match, reason)
KNOWN_FAILURES = {
    ("official", "2.0", "format_webp"): (r"got unknown, expected WEBP: .*", PYTHON_2),
    ("official", "3.0", "format_webp"): (r"got unknown, expected WEBP: .*", PYTHON_2),
    # Here and below the validators stumble over their own error: one raises without the arguments that its exception
    # needs, the other reads a property that its image does not have. The address at the end tells what they looked at.
    ("official", "3.0", "size_noup"): (
        r"TypeError: .*missing 3 required positional arguments.* at \S+/full/!2000,3000/0/default\.jpg",
        LARGER_BOX,
    ),
    ("official", "3.0", "size_up"): (
        r"got \(2000, 2000\), expected \(1000, 1000\): .* at \S+/full/\^max/0/default\.jpg",
        LARGEST_SIZE,
    ),
    ("ng", "3.0", "size_noup"): (
        r"Retrieving upscaled image with size='!2000,3000' succeeded but should have failed\.[^\n]*",
        LARGER_BOX,
    ),
    ("ng", "3.0", "size_up"): (r"AttributeError: .* at \S+/full/\^max/0/default\.jpg", LARGEST_SIZE),
}


def judge(validator, base, version, failures):
    """Prints what is wrong with the outcomes (test name → None, or what failed). The exit status: 0 if nothing is."""
    problems = [line for test, failure in failures.items() if (line := problem(validator, version, test, failure))]
    failed = sum(failure is not None for failure in failures.values())
    print(f"{validator} {version} {base}: {len(failures)} tests, {failed} failed, {len(problems)} not as expected")
    for line in problems:
        print(f"  {line}")
    return 1 if problems or not failures else 0


def problem(validator, version, test, failure):
    pattern, reason = KNOWN_FAILURES.get((validator, version, test), (None, None))
    if pattern is None:
        return failure and f"{test}: FAIL {failure}"
    if failure is None:
        return f"{test}: passed although it is known to fail. {reason}"
    if not re.fullmatch(pattern, failure, re.DOTALL):
        return f"{test}: FAIL in another way than known: {failure}"
    return None
