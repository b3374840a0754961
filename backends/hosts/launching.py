"""From an intent in the store to one job at a host, and never two: each step is written down before and after.

    rows uploaded (or found there by their content) -> "sent" written -> the one request that costs money -> id written

The host knows no idempotency key. So the request is sent once and not repeated by the client; where nobody can say
what became of it, the host is asked for a job with our id in its metadata, again and again for a while, and only
then is there a second try.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.hosts.client import UPLOAD_SECONDS, may_have_been_done
from backends.hosts.ledger import Ledger, live_jobs, on_its_way, read_ledger, write_ledger
from backends.hosts.profile import HostProfile
from backends.hosts.rows import upload_of
from core.errors import Refused, TuneworthyError
from core.jobspec import JobSpec
from core.run_folder import RunFolder

if TYPE_CHECKING:
    import openai

OUR_ID = "tuneworthy_job"
"""The key of the metadata that holds our job id."""
SETTLES_AFTER = timedelta(seconds=90)
"""A request that was cut off may still be at work at the host for so long: longer than our own time-out."""
LOOK_BACK = timedelta(days=1)
"""Clocks differ: a job of ours is no older at the host than our intent, less this."""


@dataclass(frozen=True)
class Launching:
    """One job on its way to a host."""

    folder: RunFolder
    spec: JobSpec
    profile: HostProfile
    client: openai.OpenAI
    settles_after: timedelta = SETTLES_AFTER

    def go_on(self, ledger: Ledger) -> Ledger:
        """The next steps, as far as they go. Raises what the client raises; calling again goes on from there.

        A ledger without a job id comes back where the host has to be asked again later.
        """
        if ledger.sent_at is not None:
            found = self.find(ledger)
            if found is not None:
                return self._adopt(ledger, found)
            if on_its_way(ledger) and datetime.now(UTC) - ledger.sent_at < self.settles_after:
                return ledger
        if self.folder.cancel_asked:
            return ledger
        ledger = self._with_files(ledger)
        ledger = write_ledger(self.folder, ledger, sent_at=datetime.now(UTC), refused=False)
        try:
            created = self.client.with_options(max_retries=0).fine_tuning.jobs.create(**self._request(ledger))
        except Exception as error:
            if not may_have_been_done(error):
                ledger = write_ledger(self.folder, ledger, refused=True)
            raise
        return self._adopt(ledger, created)

    def find(self, ledger: Ledger) -> Any | None:
        """The host's job with our id; None where it has none. Raises what the client raises."""
        import openai

        jobs = self.client.fine_tuning.jobs
        try:
            return self._among(jobs.list(metadata={OUR_ID: self.folder.job_id}, limit=20), ledger)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            return self._among(jobs.list(limit=100), ledger)  # a host without such a filter

    def delete_uploads(self, ledger: Ledger) -> list[str]:
        """Delete what this job uploaded and no other job of this home uses. Returns what could not be deleted."""
        others = {name for folder in live_jobs() if folder.path != self.folder.path for name in _files_of(folder)}
        left, gone = [], []
        for file in (each for each in ledger.uploaded if each not in others):
            try:
                self.client.files.delete(file)
                gone.append(file)
            except Exception:  # whatever it is, the person is told which file stayed
                left.append(file)
        kept = {field: "" for field in ("training_file", "validation_file") if getattr(ledger, field) in gone}
        trouble = f"Delete by hand at the host: {', '.join(left)}." if left else ""
        write_ledger(self.folder, ledger, uploaded=left, trouble=trouble, **kept)
        return left

    def _among(self, pages: Any, ledger: Ledger) -> Any | None:
        """Ours among jobs that come newest first; some hosts pass over the filter, so each is looked at."""
        oldest = (ledger.asked_at - LOOK_BACK).timestamp()
        for job in pages:
            if (getattr(job, "metadata", None) or {}).get(OUR_ID) == self.folder.job_id:
                return job
            suffix = getattr(job, "user_provided_suffix", None)
            if not self.spec.host.suffix and suffix == suffix_of(self.folder.job_id):
                return job
            if (getattr(job, "created_at", None) or oldest) < oldest:
                break
        return None

    def _adopt(self, ledger: Ledger, job: Any) -> Ledger:
        return write_ledger(self.folder, ledger, job=job.id, status=str(job.status), trouble="")

    def _with_files(self, ledger: Ledger) -> Ledger:
        """The ledger with ids of files that are at the host, each written down as soon as it is known."""
        self._require_same_rows()
        for field, path in (("training_file", self.spec.dataset), ("validation_file", self.spec.validation)):
            if path is None or getattr(ledger, field):
                continue
            upload = upload_of(self.spec, path, self.profile)
            file = self._uploaded(upload.name, len(upload.body))
            changes: dict[str, Any] = {}
            if file is None:
                made = self.client.with_options(timeout=UPLOAD_SECONDS).files.create(
                    file=(upload.name, upload.body), purpose="fine-tune"
                )
                file, changes = made.id, {"uploaded": [*ledger.uploaded, made.id]}
            ledger = write_ledger(self.folder, ledger, **{field: file}, **changes)
        return ledger

    def _uploaded(self, name: str, size_bytes: int) -> str | None:
        """A file of that name, which is its content's hash: the same rows are not sent twice."""
        for file in self.client.files.list(purpose="fine-tune"):
            if file.filename == name and file.bytes in (size_bytes, None) and file.status not in ("error", "deleted"):
                return str(file.id)
        return None

    def _require_same_rows(self) -> None:
        if self.spec.dataset is None or self.spec.dataset_sha256 is None:
            return
        try:
            with Path(self.spec.dataset).open("rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == self.spec.dataset_sha256
        except OSError as error:
            raise Refused(f"the training rows cannot be read ({error.strerror}).", "Check the path.") from error
        if not same:
            raise Refused("the training rows have changed since the job was asked for.", "Launch it again.")

    def _request(self, ledger: Ledger) -> dict[str, Any]:
        spec, host = self.spec, self.spec.host
        model = self.profile.model(spec.base_model)
        asked = host.n_epochs if host.n_epochs is not None else round(spec.epochs)
        settings: dict[str, Any] = {"n_epochs": asked}
        settings |= {
            name: value
            for name in ("batch_size", "learning_rate_multiplier")
            if (value := getattr(host, name)) != "auto"
        }
        request: dict[str, Any] = {
            "model": model.id if model else spec.base_model,
            "training_file": ledger.training_file,
            "suffix": host.suffix or suffix_of(self.folder.job_id),
            "seed": spec.seed,
            "metadata": {OUR_ID: self.folder.job_id},
        }
        if ledger.validation_file:
            request["validation_file"] = ledger.validation_file
        if self.profile.plain_hyperparameters:
            lora = {"lora": spec.method.kind == "lora", "lora_r": spec.method.rank, "lora_alpha": spec.method.alpha}
            request["hyperparameters"] = settings
            request["extra_body"] = {"hyperparameters": settings | lora | {"lora_dropout": spec.method.dropout}}
        elif spec.objective == "dpo":
            request["method"] = {"type": "dpo", "dpo": {"hyperparameters": settings | {"beta": spec.dpo_beta}}}
        else:
            request["method"] = {"type": "supervised", "supervised": {"hyperparameters": settings}}
        if self.profile.training_types:
            request["extra_body"] = {"trainingType": host.training_type or self.profile.training_types[0]}
        return request


def suffix_of(job_id: str) -> str:
    """A suffix from our id, short enough for every host, so that the job is found where metadata is not kept."""
    return f"tw-{job_id.rpartition('-')[2]}"


def _files_of(folder: RunFolder) -> list[str]:
    with suppress(TuneworthyError):
        ledger = read_ledger(folder)
        if ledger is not None:
            return [ledger.training_file, ledger.validation_file]
    return []
