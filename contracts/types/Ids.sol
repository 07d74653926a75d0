// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A site's place in SiteRegistry, 0 to 255: a set of sites is one 256-bit bitmap, bit i is site i.
type SiteId is uint16;

/// @notice Counts from 1 in StudyRegistry.
type StudyId is uint32;

/// @notice Counts from 1 in RoundCoordinator, over all studies.
type RunId is uint32;

/// @notice Counts from 1 in its run. A void or refused round uses up its number.
type RoundNo is uint32;

/// @notice Counts from 1 in SiteRegistry.
type ProposalId is uint32;

/// @dev Stands where an event or a view has no site to name.
SiteId constant NO_SITE = SiteId.wrap(type(uint16).max);

/// @dev Sites that a registry can hold: as many as a bitmap has bits.
uint256 constant MAX_SITES = 256;

/// @dev Sites that mask with each other: each deals to each.
uint256 constant MAX_MASKED = 100;

using {sameSite as ==, otherSite as !=} for SiteId global;
using {sameRound as ==, otherRound as !=} for RoundNo global;

function sameSite(SiteId a, SiteId b) pure returns (bool) {
    return SiteId.unwrap(a) == SiteId.unwrap(b);
}

function otherSite(SiteId a, SiteId b) pure returns (bool) {
    return SiteId.unwrap(a) != SiteId.unwrap(b);
}

function sameRound(RoundNo a, RoundNo b) pure returns (bool) {
    return RoundNo.unwrap(a) == RoundNo.unwrap(b);
}

function otherRound(RoundNo a, RoundNo b) pure returns (bool) {
    return RoundNo.unwrap(a) != RoundNo.unwrap(b);
}
