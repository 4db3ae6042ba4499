"""backup and restore: a sound copy of a collector that runs, put back, and what the agents make good of the time between."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import sqlite3
import subprocess

import evidence
import pytest
from harness.process import run, wait_until
from publisher import Publisher
from test_collector import House
from test_thin_path import by_point, in_store


@pytest.fixture
def house(stage):
    return House(stage).start()


def command(collector, *words) -> subprocess.CompletedProcess:
    """`park-collector WORD --config FILE ...`, to its end."""
    return run([collector.program, words[0], "--config", collector.settings, *words[1:]])


def read(path, sql: str) -> list[tuple]:
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as database:
        return database.execute(sql).fetchall()


def test_a_backup_of_a_collector_that_takes_batches_is_sound_and_whole(house, tmp_path):
    agent = Publisher(house.broker, "gw-a")
    lines = [f"gauge,point=p{n} value={n} {house.base_ms}" for n in range(900)]
    agent.send(1, lines)
    agent.wait_ack(1)
    target = tmp_path / "backup.db"
    copying = subprocess.Popen([house.collector.program, "backup", "--config", house.collector.settings, "-o", target],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seq, meanwhile = 1, 0
    while copying.poll() is None or seq < 50:
        seq += 1
        meanwhile += copying.poll() is None
        agent.send(seq, [house.line(seq)])
    assert meanwhile > 0
    said, _ = copying.communicate(timeout=60)
    assert (copying.returncode, said) == (0, f"{target}: sound, 1 MiB\n")
    agent.wait_ack(seq)  # its writer was not held up
    assert target.stat().st_mode & 0o777 == 0o640 & ~umask()
    assert read(target, "PRAGMA integrity_check") == [("ok",)]
    seqs = [row[0] for row in read(target, "SELECT seq FROM journal ORDER BY id")]
    assert seqs and seqs == list(range(1, len(seqs) + 1))
    # One instant: the mark is that of the last batch in it.
    assert read(target, "SELECT max(mark) FROM epoch") == [(len(seqs),)]
    assert not target.with_name("backup.db.part").exists()


def umask() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1], 8) for line in status if line.startswith("Umask:"))


def test_a_backup_replaces_nothing_unless_it_is_told_to(house, tmp_path):
    target = tmp_path / "backup.db"
    target.write_text("precious")
    refused = command(house.collector, "backup", "-o", target)
    assert refused.returncode == 64 and f"{target} exists; expected a new name, or --force to replace it" in refused.stderr
    assert target.read_text() == "precious"
    spool = tmp_path / "other.db"
    with sqlite3.connect(spool) as other:
        other.execute("CREATE TABLE other(x)")
    other.close()
    for precious in (target, spool, house.collector.settings):
        before = precious.read_bytes()
        refused = command(house.collector, "backup", "--force", "-o", precious)
        assert refused.returncode == 64 and precious.read_bytes() == before
        assert refused.stderr == (f"park-collector: {precious} is not a backup, nor a database of this program; expected a new name, "
                                  "or one to replace\n")
    target.unlink()
    # Nor is it put beside the log of another one, which would be taken for a part of it.
    for suffix in ("-wal", "-journal"):
        beside = target.with_name(target.name + suffix)
        beside.write_text("of another one")
        refused = command(house.collector, "backup", "--force", "--output", target)
        assert refused.returncode == 64 and f"{beside} is there, and would be taken for a part of the backup" in refused.stderr
        assert not target.exists() and beside.read_text() == "of another one"
        beside.unlink()
    assert command(house.collector, "backup", "--output", target).returncode == 0
    assert command(house.collector, "backup", "--force", "--output", target).returncode == 0
    assert read(target, "PRAGMA quick_check") == [("ok",)]
    assert sorted(path.name for path in tmp_path.glob("*backup.db*")) == ["backup.db"]

    with open(target) as used:  # as a collector does
        fcntl.flock(used, fcntl.LOCK_EX)
        before = target.read_bytes()
        refused = command(house.collector, "backup", "--force", "-o", target)
        assert (refused.returncode, refused.stderr) == (69, f"park-collector: {target} is in use by another process\n")
        assert target.read_bytes() == before

    database = command(house.collector, "backup", "--force", "-o", house.database)
    assert database.returncode == 64 and "is the database itself" in database.stderr
    house.collector.stop()
    stopped = tmp_path / "stopped.db"
    assert command(house.collector, "backup", "-o", stopped).returncode == 0
    nowhere = command(house.collector, "backup", "-o", tmp_path / "absent/backup.db")
    assert nowhere.returncode == 74 and "absent/backup.db.part.lock: No such file or directory" in nowhere.stderr
    house.database.rename(tmp_path / "gone.db")
    absent = command(house.collector, "backup", "-o", tmp_path / "of-nothing.db")
    assert absent.returncode == 74 and "collector.db: unable to open database file (No such file" in absent.stderr
    assert not (tmp_path / "of-nothing.db").exists()


def test_a_backup_goes_to_a_regular_file_or_a_new_name_only(house, tmp_path):
    folder, fifo, dangling, link, socket_path = (tmp_path / name for name in ("folder", "fifo", "dangling", "link", "socket"))
    folder.mkdir()
    os.mkfifo(fifo)
    dangling.symlink_to("nothing")
    precious = tmp_path / "precious"
    precious.write_text("precious")
    link.symlink_to(precious)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(socket_path))
    before = sorted((path.name, path.lstat().st_mode, path.lstat().st_ino) for path in tmp_path.iterdir())
    for target in (folder, fifo, dangling, link, socket_path):
        refused = command(house.collector, "backup", "--force", "-o", target)
        assert (refused.returncode, refused.stdout) == (64, ""), refused
        assert refused.stderr == f"park-collector: {target} is not a regular file; expected a new name, or a file to replace\n"
    for target in ("", f"{tmp_path}/new/"):
        refused = command(house.collector, "backup", "--force", "-o", target)
        assert refused.returncode == 64 and f'"{target}" names no file' in refused.stderr and len(refused.stderr.splitlines()) == 1
    assert sorted((path.name, path.lstat().st_mode, path.lstat().st_ino) for path in tmp_path.iterdir()) == before
    assert not list(house.database.parent.glob("*.part"))


def test_a_backup_takes_no_name_that_belongs_to_the_database(house, tmp_path):
    agent = Publisher(house.broker, "gw-a")
    agent.send(1, [house.line(1)])
    agent.wait_ack(1)
    before = {path.name: path.stat().st_ino for path in house.database.parent.iterdir()}
    hard, elsewhere = tmp_path / "hard", tmp_path / "elsewhere"
    os.link(f"{house.database}-wal", hard)
    elsewhere.symlink_to(house.database.parent)
    names = [f"{house.database}{suffix}" for suffix in ("-wal", "-shm", "-journal", ".lock", ".reserve", ".rebuild", ".restoring")]
    for target in (*names, hard, f"{elsewhere}/collector.db-wal", f"{elsewhere}/../{elsewhere.name}/collector.db.restoring"):
        refused = command(house.collector, "backup", "--force", "-o", target)
        assert (refused.returncode, refused.stdout) == (64, ""), refused
        assert refused.stderr == f"park-collector: {target} belongs to the database; expected another name\n"
    # And where the settings name it by a link, SQLite's files stand beside what that leads to.
    by_link = tmp_path / "by-link.db"
    by_link.symlink_to(house.database)
    settings = house.collector.settings.with_name("by-link.cfg")
    settings.write_text(house.collector.settings.read_text().replace(str(house.database), str(by_link)))
    assert str(by_link) in settings.read_text()
    for target in (f"{house.database}-wal", f"{by_link}.lock"):
        refused = run([house.collector.program, "backup", "--force", "--config", settings, "-o", target])
        assert refused.returncode == 64 and "belongs to the database" in refused.stderr
    # Nor may what lies beside the copy while it is written be the database.
    part = house.database.with_name("odd.db.part")
    part.symlink_to(house.database)
    refused = command(house.collector, "backup", "-o", part.with_suffix(""))
    assert refused.returncode == 64 and f"{part} is the database itself" in refused.stderr
    part.unlink()
    assert {path.name: path.stat().st_ino for path in house.database.parent.iterdir() if path != settings} == before
    agent.send(2, [house.line(2)])
    agent.wait_ack(2)
    house.collector.kill()
    house.start()
    assert house.query("SELECT max(seq) FROM journal") == [(2,)]
    house.collector.stop()
    restoring = house.database.with_name("collector.db.restoring")
    shutil.copy(house.database, restoring)
    refused = command(house.collector, "restore", restoring)
    assert refused.returncode == 64 and "belongs to the database; expected a backup of it" in refused.stderr
    assert restoring.exists()


def test_of_two_backups_to_one_target_the_second_is_refused(house, tmp_path):
    target, part = tmp_path / "target.db", tmp_path / "target.db.part"
    with open(tmp_path / "target.db.part.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        part.write_text("half")
        second = command(house.collector, "backup", "-o", target)
        assert (second.returncode, second.stdout) == (69, ""), second
        assert second.stderr == f"park-collector: another backup to {target} is being made\n"
        assert part.read_text() == "half" and not target.exists()
    # What a killed one left holds nobody up.
    assert command(house.collector, "backup", "--force", "-o", target).returncode == 0
    assert not list(tmp_path.glob("target.db.*"))

    def start() -> subprocess.Popen:
        return subprocess.Popen([house.collector.program, "backup", "--force", "--config", house.collector.settings, "-o", target],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    for _ in range(10):
        both = [start(), start()]
        said = [one.communicate(timeout=60)[0] for one in both]
        codes = sorted(one.returncode for one in both)
        assert codes in ([0, 0], [0, 69]), (codes, said)
        assert read(target, "PRAGMA integrity_check") == [("ok",)]
    assert not list(tmp_path.glob("target.db.*"))


def test_a_backup_that_gets_no_name_leaves_nothing(house, tmp_path):
    target = tmp_path / "target.db"
    assert command(house.collector, "backup", "-o", target).returncode == 0
    before = target.read_bytes()
    # Nothing can be moved over a file that another one is mounted on.
    script = 'mount --bind "$0" "$0" && exec "$@"'
    leave = [] if os.geteuid() == 0 else ["--map-root-user"]  # which root may lack in a root folder of its own
    done = run(["unshare", "--mount", *leave, "sh", "-c", script, target, house.collector.program, "backup",
                "--config", house.collector.settings, "-o", target, "--force"])
    assert done.returncode == 74 and f"cannot rename {target}.part to {target}: Device or resource busy" in done.stderr
    assert not list(tmp_path.glob("*.part"))
    assert target.read_bytes() == before


def test_a_copy_of_a_damaged_database_is_none(house, tmp_path):
    agent = Publisher(house.broker, "gw-a")
    agent.send(1, [f"gauge,point=p{n} value={n} {house.base_ms}" for n in range(900)])
    agent.wait_ack(1)
    house.collector.stop()
    # One page that only a look at everything meets.
    (root,), (size,) = read(house.database, "SELECT rootpage FROM sqlite_schema WHERE name = 'point' UNION ALL "
                                            "SELECT page_size FROM pragma_page_size")
    content = bytearray(house.database.read_bytes())
    content[(root - 1) * size:root * size] = b"\x55" * size
    house.database.write_bytes(content)
    failed = command(house.collector, "backup", "-o", tmp_path / "copy.db")
    assert failed.returncode == 78 and "is not a sound database" in failed.stderr and failed.stdout == ""
    assert not list(tmp_path.glob("copy.db*"))


def test_what_is_no_backup_is_refused_before_anything_is_touched(house, tmp_path):
    good = tmp_path / "good.db"
    assert command(house.collector, "backup", "-o", good).returncode == 0
    running = command(house.collector, "restore", good)
    assert running.returncode == 69 and "is in use by another process" in running.stderr
    house.collector.stop()
    # After a clean stop the file alone is whole.
    assert not house.database.with_name("collector.db-wal").exists()
    rebuilding = house.database.with_name("collector.db.rebuild")
    with open(rebuilding, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = command(house.collector, "restore", good)
        assert (refused.returncode, refused.stderr) == (69, f"park-collector: {rebuilding} is locked: a rebuild runs\n")
    before = sorted(path.name for path in house.database.parent.iterdir())

    def changed(name: str, sql: str):
        path = tmp_path / name
        shutil.copy(good, path)
        with sqlite3.connect(path) as database:
            database.execute(sql)
        database.close()
        return path

    torn = tmp_path / "torn.db"
    torn.write_bytes(good.read_bytes()[:-8192])
    text = tmp_path / "text.db"
    text.write_text("not a database at all, but long enough to be read as one" * 20)
    for path, word in ((changed("newer.db", "PRAGMA user_version = 99"), "was written by a newer version of this program"),
                       (changed("other.db", "PRAGMA application_id = 7"), "is the database of something else"),
                       (torn, "is not a sound database"), (text, "is not a sound database"),
                       (changed("hollow.db", "DROP TABLE cursor"), "the backup lacks tables of a collector's database"),
                       (tmp_path / "absent.db", "No such file or directory"),
                       (house.database, "is the database itself")):
        refused = command(house.collector, "restore", path)
        assert refused.returncode in (64, 74, 78) and word in refused.stderr, refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert sorted(path.name for path in house.database.parent.iterdir()) == before
    assert command(house.collector, "restore").returncode == 64
    empty, folder = tmp_path / "empty", tmp_path / "folder"
    empty.touch()
    folder.mkdir()
    for path, why in (("", "names no file"), (empty, "is empty"), (folder, "is not a regular file"), ("/dev/null", "is not a regular file")):
        refused = command(house.collector, "restore", path)
        assert (refused.returncode, refused.stderr) == (64, f'park-collector: "{path}" {why}; expected a backup\n')


def test_an_interrupted_restore_is_finished_by_the_next_one(house, tmp_path):
    agent = Publisher(house.broker, "gw-a")
    agent.send(1, [house.line(1)])
    agent.wait_ack(1)
    house.collector.wait_settled()
    good = tmp_path / "good.db"
    assert command(house.collector, "backup", "-o", good).returncode == 0
    house.collector.stop()
    restoring = house.database.with_name("collector.db.restoring")
    # Killed while it copied; and later, when the present database was aside and its place empty.
    for is_aside in (False, True):
        restoring.write_bytes(good.read_bytes()[:5000])
        if is_aside:
            house.database.rename(house.database.with_name("collector.db.before-test"))
        refused = run([house.collector.program, "--config", house.collector.settings])
        assert refused.returncode == 78 and "a restore was interrupted; run it again" in refused.stderr
        assert house.database.exists() != is_aside
        done = command(house.collector, "restore", good)
        assert done.returncode == 0 and "it asks the agents for every batch after this backup" in done.stdout
        assert not list(house.database.parent.glob("*.restoring*"))
        # Nobody knows what the killed one replaced: all of the backup is posted again.
        assert ("posted to the time-series store again: 1." in done.stdout) == is_aside
    house.start()
    assert house.query("SELECT seq FROM journal") == [(1,)]
    assert len(list(house.database.parent.glob("collector.db.before-2*Z"))) == 1


def test_what_is_restored_belongs_to_whom_the_database_belonged(house, tmp_path):
    good = tmp_path / "good.db"
    assert command(house.collector, "backup", "-o", good).returncode == 0
    house.collector.stop()
    owner = 65534 if os.geteuid() == 0 else os.geteuid()
    lock = house.database.with_name("collector.db.lock")
    os.chown(house.database, owner, -1)
    lock.unlink()
    assert command(house.collector, "restore", good).returncode == 0
    assert house.database.stat().st_uid == owner and lock.stat().st_uid == owner
    assert house.database.stat().st_mode & 0o007 == 0


def test_after_a_restore_agents_fill_what_is_missing_and_nothing_is_doubled(park, tmp_path):
    database = park.collector.settings.with_suffix(".db")
    backup = tmp_path / "backup.db"
    wait_until(lambda: len(evidence.read_marks(database)) == len(park.agents), 30, "every agent delivers")
    assert command(park.collector, "backup", "-o", backup).returncode == 0
    then = {gateway: mark for gateway, mark in read(backup, "SELECT g.name, max(e.mark) FROM epoch e JOIN gateway g "
                                                            "ON g.id = e.gateway GROUP BY g.name")}
    wait_until(lambda: all(mark >= then[gateway] + 4 for gateway, mark in evidence.read_marks(database).items()), 60,
               "more is acknowledged")
    park.collector.kill()
    assert command(park.collector, "restore", backup).returncode == 0
    aside, = database.parent.glob("collector.db.before-*Z")
    now = evidence.read_marks(aside)  # with the log beside it
    assert all(now[gateway] >= then[gateway] + 4 for gateway in park.agents)
    park.collector.start()
    wait_until(lambda: all(mark > now[gateway] for gateway, mark in evidence.read_marks(database).items()), 60,
               "the agents have sent again what was acknowledged after the backup")
    park.stop_agents()
    park.sim.stop()
    park.collector.wait_settled()
    expected, found = by_point(park.sim.log_of_answers), in_store(park.influx)
    assert sorted(found) == sorted(expected)
    for key, answered in expected.items():
        assert [value for _, value in found[key]] == [value for _, value in answered], key
    for gateway, seqs in evidence.read_journal(database).items():
        assert seqs == list(range(1, len(seqs) + 1)), gateway
    assert park.collector.metric("parkmon_losses_total") == 0


def test_what_agents_no_longer_hold_after_a_restore_is_lost_by_name(house, tmp_path):
    agent = Publisher(house.broker, "gw-a")
    for seq in (1, 2, 3):
        agent.send(seq, [house.line(seq)])
    agent.wait_ack(3)
    backup = tmp_path / "backup.db"
    assert command(house.collector, "backup", "-o", backup).returncode == 0
    for seq in range(4, 11):
        agent.send(seq, [house.line(seq)])
    agent.wait_ack(10)
    house.collector.kill()
    # Also where the present database can no longer be read.
    house.database.write_bytes(b"what a broken disk left of it" * 1000)
    house.database.with_name("collector.db-wal").unlink()
    done = command(house.collector, "restore", backup)
    assert done.returncode == 0 and f"could not be compared with what was here: {house.database} is not a sound database" in done.stdout
    assert "then run park-collector rebuild --period for these days" in done.stdout
    agent.forget()
    house.collector.start()
    house.wait_connected()
    agent.send(11, [house.line(11)], first=4)
    agent.wait_refusal(3)  # it asks again
    agent.send(8, [house.line(8)], first=8)  # 4 to 7 are gone
    for seq in (9, 10, 11):
        agent.send(seq, [house.line(seq)], first=8)
    agent.wait_ack(11)
    assert house.query("SELECT gateway, epoch, first_seq, last_seq FROM loss") == [("gw-a", 1, 4, 7)]
    assert [loss["gateway"] for loss in house.collector.get_json("/api/v1/losses")["losses"]] == ["gw-a"]


def test_the_store_has_what_the_restored_line_of_databases_has(house, tmp_path):
    """Two lines of databases accept two values of one point and time; the store got that of the one that is replaced last."""
    agent = Publisher(house.broker, "gw-a")

    def value(text: str) -> str:
        return f"register,point=m value={text}i {house.base_ms}"

    def back_up(name: str):
        house.collector.wait_settled()
        assert command(house.collector, "backup", "-o", tmp_path / name).returncode == 0
        return tmp_path / name

    def restore(backup) -> str:
        house.collector.kill()
        done = command(house.collector, "restore", backup)
        assert done.returncode == 0, done.stderr
        agent.forget()
        house.start()
        return done.stdout

    agent.send(1, [house.line(1, "other")])
    agent.wait_ack(1)
    fork = back_up("fork.db")
    agent.send(2, [value("11")])
    agent.wait_ack(2)
    one = back_up("one.db")
    assert "posted to the time-series store again" not in restore(fork)
    agent.send(3, [value("22")], first=3)
    agent.wait_ack(3)
    house.collector.wait_settled()
    assert house.stored()[("gw-a", "m")] == [(house.base_ms, 22)]
    assert "posted to the time-series store again: 1." in restore(one)
    agent.send(3, [value("22")], first=3)
    agent.wait_ack(3)
    house.collector.wait_settled()
    assert house.stored() == {("gw-a", "other"): [(house.base_ms + 1, 1)], ("gw-a", "m"): [(house.base_ms, 11)]}
    assert house.query("SELECT seq FROM quarantine") == [(3,)]


def test_a_restore_that_fails_changes_nothing_and_stands_in_no_ones_way(house, tmp_path):
    agent = Publisher(house.broker, "gw-a")
    agent.send(1, [house.line(1)])
    agent.wait_ack(1)
    good = tmp_path / "good.db"
    assert command(house.collector, "backup", "-o", good).returncode == 0
    house.collector.kill()  # its log is there
    before = sorted(path.name for path in house.database.parent.iterdir())
    # Nothing that another file is mounted on can be renamed.
    script = 'mount --bind "$0" "$0" && exec "$@"'
    leave = [] if os.geteuid() == 0 else ["--map-root-user"]
    failed = run(["unshare", "--mount", *leave, "sh", "-c", script, house.database, house.collector.program, "restore",
                  "--config", house.collector.settings, good])
    assert failed.returncode == 74 and "Device or resource busy" in failed.stderr and failed.stdout == ""
    assert sorted({path.name for path in house.database.parent.iterdir()} - {"collector.db.rebuild"}) == before
    house.start()
    assert house.query("SELECT seq FROM journal") == [(1,)]
    house.collector.stop()
    house.database.rename(tmp_path / "elsewhere.db")
    house.database.mkdir()
    refused = command(house.collector, "restore", good)
    assert refused.returncode == 78 and f"database.path: {house.database} is not a regular file" in refused.stderr
    assert house.database.is_dir()
