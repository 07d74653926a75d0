// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SiteId} from "./Ids.sol";

/// @notice Why records may be used: a consent given before, or everybody until they object.
/// @dev Same order as LAWFUL_BASES in node/ports/chain.ts.
enum LawfulBasis {
    Consent,
    OptOut
}

/// @notice A withdrawal in a batch: a patient's signature in the compact form of EIP-2098.
/// @param blind 32 bytes given to the patient with the grant
/// @param patientKey address of the key used once
/// @param vs s, and in its highest bit the parity
struct SignedWithdrawal {
    bytes32 blind;
    address patientKey;
    bytes32 r;
    bytes32 vs;
}

/// @notice One version of a programme's terms, as its keeper's steward publishes them.
/// @param version 1, 2, 3, …
/// @param digest SHA-256 of `text`: what the steward read
/// @param ombudsman key that may withdraw for patients; zero when the terms name none
/// @param expiresAt chain time in seconds from which consents under these terms do not count
/// @param text canonical bytes, 1 to 16,384
struct Terms {
    uint32 version;
    bytes32 digest;
    LawfulBasis basis;
    address ombudsman;
    uint40 expiresAt;
    bytes text;
}

/// @notice A programme's newest terms; `version` is 0 when it has none.
/// @param keeper site whose steward published version 1: later versions are its alone
struct TermsView {
    uint32 version;
    SiteId keeper;
    LawfulBasis basis;
    uint40 expiresAt;
    address ombudsman;
    bytes32 digest;
}
