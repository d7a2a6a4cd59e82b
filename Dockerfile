# The operator and kubectl-bastion, from the lock file. Nothing of the local Azure, of the tests or of their tools.
FROM python:3.13-slim AS builder

ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/bastion-operator

WORKDIR /src

COPY dev/uv_requirements.txt dev/
RUN python -m venv /opt/uv && \
    /opt/uv/bin/python -m pip install --no-cache-dir --require-hashes -r dev/uv_requirements.txt

# The dependencies are a layer of their own: they change less often than the program.
# The local Azure's pyproject.toml is here because the lock file names it; it is not installed.
COPY pyproject.toml uv.lock ./
COPY operator/arm_emulator/pyproject.toml operator/arm_emulator/
RUN --mount=type=cache,target=/root/.cache/uv \
    /opt/uv/bin/uv sync --frozen --no-dev --no-editable --no-install-project

COPY README.md LICENSE ./
COPY operator/bastion_operator operator/bastion_operator
RUN --mount=type=cache,target=/root/.cache/uv \
    /opt/uv/bin/uv sync --frozen --no-dev --no-editable


FROM python:3.13-slim

# Everything is compiled above, and the root file system may be read-only. The user has no entry in /etc/passwd, where the
# Kubernetes client looks for a home and kopf for a name, whether they need them or not.
ENV HOME=/nonexistent \
    USER=bastion-operator \
    PATH=/opt/bastion-operator/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

COPY --from=builder /opt/bastion-operator /opt/bastion-operator

USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["bastion-operator"]
CMD ["run"]
