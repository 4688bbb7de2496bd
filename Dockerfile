# One image for every process; docker-compose.yml gives each its word. Not built here: no engine.
FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 \
    DJANGO_SETTINGS_MODULE=config.settings.prod QUITTANCE_VAR=/var/lib/quittance HOST=0.0.0.0 PORT=8000

RUN useradd --system --user-group --no-create-home --shell /usr/sbin/nologin quittance \
    && install --directory --owner quittance --group quittance --mode 0700 /var/lib/quittance

# Letters are set by Pango, which no wheel brings.
RUN apt-get update && apt-get install --yes --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/quittance
COPY requirements.lock ./
RUN python -m pip install --require-hashes --requirement requirements.lock
COPY . .

USER quittance
VOLUME /var/lib/quittance
EXPOSE 8000
ENTRYPOINT ["python", "-m", "config.processes"]
CMD ["web"]
