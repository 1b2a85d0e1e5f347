"""The Single Window Gateway: everything no partner cares about. Rooms and their order: docs/architecture.md."""
