"""GUIDs that are made fresh for each id, etag and request."""

import os
import uuid

from arm_emulator.guids import new_guid


def test_they_are_random_ones_of_version_4_and_no_two_are_equal() -> None:
    made = [new_guid() for _ in range(5_000)]
    assert len(set(made)) == len(made)
    for one in made:
        parsed = uuid.UUID(one)
        assert (str(parsed), parsed.version, parsed.variant) == (one, 4, uuid.RFC_4122)


def test_a_forked_process_makes_others() -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, new_guid().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100).decode() != new_guid()
    os.close(read)
    os.close(write)
