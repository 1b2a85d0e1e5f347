"""The use cases: submit, dispatch, receive, operate, sweep and read, written against the ports.

Nothing in this room knows a concrete store, transport, signer or adapter; gateway.app hands them in. What a use case
changes it changes in one write of the store, so that a crash leaves either all of it or none of it.
"""
