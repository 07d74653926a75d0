/**
 * What is put into the copy so that a branch that is taken tells of itself. Hardhat's coverage listens for calls of one address: 32 bytes
 * that it notes down as a tag. Its own tags are digests of statements; ours are small numbers, one for each branch.
 *
 * A condition keeps its place and its line and becomes the argument of a function that hands it on: `if (c)` is `if (seen__(c, 7))` and
 * tells 7 when `c` holds, else 8. So nothing else of the source has to change its shape.
 */

/** Where Hardhat's coverage listens; see `coverage.sol` of @nomicfoundation/edr. A run in which nothing arrives is an error, not 0 %. */
const LISTENER = '0xc0bEc0BEc0BeC0bEC0beC0bEC0bEC0beC0beC0BE'

/** File of the copy's contracts that holds the functions. */
export const PROBES_FILE = 'contracts/branches__.sol'
const NAMES = ['seen__', 'taken__', 'told__']

/** Room that assembly may use behind the free memory pointer before it meets the word in which a pure function notes its branches. */
const NOTE_AT = '0x8000'

export const PROBES = `// SPDX-License-Identifier: Apache-2.0
pragma solidity >=0.8.0;

function tell__(uint256 branch) view {
    assembly ("memory-safe") {
        mstore(0, branch)
        pop(staticcall(gas(), ${LISTENER}, 0, 32, 0, 0))
    }
}

function asPure__(function(uint256) view told) pure returns (function(uint256) pure telling) {
    assembly ("memory-safe") {
        telling := told
    }
}

function taken__(uint256 branch) pure {
    asPure__(tell__)(branch);
}

function seen__(bool holds, uint256 branch) pure returns (bool) {
    taken__(holds ? branch : branch + 1);
    return holds;
}

function told__(uint256 first) pure {
    uint256 note;
    assembly ("memory-safe") {
        note := mload(add(mload(0x40), ${NOTE_AT}))
    }
    for (; note != 0; note >>= 1) {
        if (note & 1 == 1) taken__(first);
        ++first;
    }
}
`

/** Line by which a source of the copy gets the functions; it goes to the end, where no other line moves. */
export const importProbes = (path: string): string => `\nimport {${NAMES.join(', ')}} from "${path}";\n`

/** In assembly that may make calls: as the functions above, with the scratch word given back. */
export const YUL_TELLS =
  ' function seen__y(branch__, c__) -> r__ { r__ := c__ let kept__ := mload(0) mstore(0, add(branch__, iszero(c__)))' +
  ` pop(staticcall(gas(), ${LISTENER}, 0, 32, 0, 0)) mstore(0, kept__) }`

/** In assembly of a pure function, where no call may be: branches are noted in a word, and told behind the block. */
export const YUL_NOTES =
  ` mstore(add(mload(0x40), ${NOTE_AT}), 0) function seen__y(bit__, c__) -> r__ { r__ := c__ let at__ := add(mload(0x40), ${NOTE_AT})` +
  ' mstore(at__, or(mload(at__), shl(add(bit__, iszero(c__)), 1))) }'

/** Branches that the word can hold. */
export const MOST_NOTES = 256
