"""Signatures: who signed, with which key, and which bytes were verified.

Rule 1: what is verified is what is returned, and only that is decoded; nothing here answers with a boolean.
Rule 2: algorithms, positions and signers come from the agreement, never from the message; the message must fit them.
Rule 3: a key is named by URI and opened as a Signer; its secret is in no repr, log, exception or pickle.
Rule 4: nothing is ever fetched: a reference points into the same document or is refused.

A new form of signature is a profile in gateway.signing.security, a new algorithm a row of gateway.signing.algorithms,
a new place for keys an opener in gateway.signing.keys.
"""
