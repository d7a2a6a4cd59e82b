"""What tests read of the local Azure's request log while it is written."""

from pathlib import Path

from dev.local_azure import LocalAzure


def test_a_line_that_is_being_written_is_for_the_next_look(tmp_path: Path) -> None:
    azure = LocalAzure(tmp_path, speed=1)
    assert azure.request_log() == []
    with azure.request_log_file.open("a", encoding="utf-8") as log:
        for written, read in (
            ('{"url": "/a"}\n{"url": "/ü', ["/a"]),
            ("", ["/a"]),
            ('"}', ["/a"]),
            ("\n", ["/a", "/ü"]),
            ('{"url": "/c"}\n', ["/a", "/ü", "/c"]),
        ):
            log.write(written)
            log.flush()
            assert [entry["url"] for entry in azure.request_log()] == read
