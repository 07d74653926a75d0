// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SiteId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {Limit} from "../types/Studies.sol";

/// @notice Where a round stands: one storage word.
/// @param sinceTime seconds at which the phase, attempt or extension began
/// @param sinceBlock block of the same
/// @param openedAt block in which the round opened
/// @param epoch epoch of keys; with the bit ACCOUNTED
/// @param attempt publications discarded so far
/// @param firstPlace first place that may publish in this attempt
/// @param turn index of the leader in the rota
/// @param leader site id of the leader
/// @param extensions times that custodians were added
/// @param publisher site id of the publication's; of this attempt in Attesting only
/// @param heard slices with enough bitmaps; in Keying, of a masked round, not 0 while deals are justified; of a masked round from its first publication on: attempt at which this row of publications began
/// @param settled slices that wait for no more bitmaps; of a masked round from its first publication on: sites of its set that it takes to unmask it
/// @param tuples distinct tuples attested in this attempt; of a masked round, until its first publication: updates that its sum needs at least
/// @param flags which of the ring slot's words are of this round (or attempt), the others being stale; and whether it is deep
/// @param asker site id of the site that asked for more time, with the flag EXTENDED
struct Clock {
    Phase phase;
    uint40 sinceTime;
    uint40 sinceBlock;
    uint40 openedAt;
    uint32 epoch;
    uint8 attempt;
    uint8 firstPlace;
    uint8 turn;
    uint8 leader;
    uint8 extensions;
    uint8 publisher;
    uint8 heard;
    uint8 settled;
    uint16 tuples;
    uint8 flags;
    uint8 asker;
}

/// @title The clock word, and when a limit has passed
/// @notice Word, from the lowest bit: phase 8, sinceTime 40, sinceBlock 40, openedAt 40, epoch 32, attempt 8, firstPlace 8,
/// turn 8, leader 8, extensions 8, publisher 8, heard 8, settled 8, tuples 16, flags 8, asker 8.
/// Limits, from the lowest bit: for each phase from Contributing on, seconds 24 and blocks 16.
library PhaseClock {
    /// @notice Somebody contributed: `contributed` and `accumulator` are of this round.
    uint8 internal constant CONTRIBUTED = 1;
    /// @notice Somebody abstained.
    uint8 internal constant ABSTAINED = 2;
    /// @notice Somebody witnessed: `begun` (with one slice: its bitmaps) is of this round.
    uint8 internal constant WITNESSED = 4;
    /// @notice The set is frozen: `included` is of this round.
    uint8 internal constant FROZEN = 8;
    /// @notice Somebody attested: `attested` is of the last publication.
    uint8 internal constant ATTESTED = 16;
    /// @notice Somebody asked for more time in Contributing.
    uint8 internal constant EXTENDED = 32;
    /// @notice The round is deep.
    uint8 internal constant DEEP = 64;
    /// @notice Somebody keyed: `keyed` is of this round.
    uint8 internal constant KEYED = 128;
    /// @notice In `epoch`: contributions are charged in the PrivacyLedger.
    uint32 internal constant ACCOUNTED = 1 << 31;

    /// @notice The clock as one word.
    function pack(Clock memory c) internal pure returns (uint256 word) {
        word = uint256(c.phase) | (uint256(c.sinceTime) << 8) | (uint256(c.sinceBlock) << 48) | (uint256(c.openedAt) << 88);
        word |= (uint256(c.epoch) << 128) | (uint256(c.attempt) << 160) | (uint256(c.firstPlace) << 168);
        word |= (uint256(c.turn) << 176) | (uint256(c.leader) << 184) | (uint256(c.extensions) << 192) | (uint256(c.publisher) << 200);
        word |= (uint256(c.heard) << 208) | (uint256(c.settled) << 216) | (uint256(c.tuples) << 224) | (uint256(c.flags) << 240) | (uint256(c.asker) << 248);
    }

    /// @notice The word as a clock.
    function unpack(uint256 word) internal pure returns (Clock memory c) {
        c.phase = Phase(uint8(word));
        c.sinceTime = uint40(word >> 8);
        c.sinceBlock = uint40(word >> 48);
        c.openedAt = uint40(word >> 88);
        c.epoch = uint32(word >> 128);
        c.attempt = uint8(word >> 160);
        c.firstPlace = uint8(word >> 168);
        c.turn = uint8(word >> 176);
        c.leader = uint8(word >> 184);
        c.extensions = uint8(word >> 192);
        c.publisher = uint8(word >> 200);
        c.heard = uint8(word >> 208);
        c.settled = uint8(word >> 216);
        c.tuples = uint16(word >> 224);
        c.flags = uint8(word >> 240);
        c.asker = uint8(word >> 248);
    }

    /// @notice The phase that a word tells.
    function phaseOf(uint256 word) internal pure returns (Phase) {
        return Phase(uint8(word));
    }

    /// @notice Whether a word has the flag FROZEN.
    function isFrozen(uint256 word) internal pure returns (bool) {
        return word & (uint256(FROZEN) << 240) != 0;
    }

    /// @notice Whether a word has the flag DEEP.
    function isDeep(uint256 word) internal pure returns (bool) {
        return word & (uint256(DEEP) << 240) != 0;
    }

    /// @notice The word with the flag DEEP.
    function deepened(uint256 word) internal pure returns (uint256) {
        return word | (uint256(DEEP) << 240);
    }

    /// @notice The word with another phase, whose limit is then asked for.
    function inPhase(uint256 word, Phase phase) internal pure returns (uint256) {
        return (word & ~uint256(0xff)) | uint256(phase);
    }

    /// @notice A round's first clock.
    /// @param least updates that a masked sum needs; 0 of an open round
    function opened(Phase first, uint256 turn, SiteId leader, uint32 epoch, uint256 least) internal view returns (Clock memory c) {
        c.openedAt = uint40(block.number);
        c.turn = uint8(turn);
        c.leader = uint8(SiteId.unwrap(leader));
        c.epoch = epoch;
        c.tuples = uint16(least);
        begin(c, first);
    }

    /// @notice Begins a phase, attempt or extension now.
    function begin(Clock memory c, Phase phase) internal view {
        c.phase = phase;
        c.sinceTime = uint40(block.timestamp);
        c.sinceBlock = uint40(block.number);
    }

    /// @notice Whether so many thirds of the phase's limit have passed now, in seconds and in blocks. Works on packed words:
    /// every call asks. In Keying, of which `limits` say nothing, always.
    function thirdsPassed(uint256 word, uint256 limits, uint256 thirds) internal view returns (bool) {
        // No overflow: since is not after now, thirds at most 256. Of Keying, phase 0, the shift leaves nothing.
        unchecked {
            uint256 limit = limits >> (40 * (uint256(uint8(word)) - 1));
            uint256 elapsed = block.timestamp - uint40(word >> 8);
            uint256 blocks = block.number - uint40(word >> 48);
            return 3 * elapsed >= thirds * uint24(limit) && 3 * blocks >= thirds * uint16(limit >> 24);
        }
    }

    /// @notice Whether the clock has a flag.
    function has(Clock memory c, uint8 flag) internal pure returns (bool) {
        return c.flags & flag != 0;
    }

    /// @notice All limits but Keying's in one word.
    function packLimits(Limit[5] memory limits) internal pure returns (uint160 word) {
        for (uint256 i = 1; i < 5; ++i) {
            word |= uint160(packLimit(limits[i])) << uint160(40 * (i - 1));
        }
    }

    /// @notice One limit in a word.
    function packLimit(Limit memory limit) internal pure returns (uint40) {
        return uint40(limit.seconds_) | (uint40(limit.blocks) << 24);
    }
}
