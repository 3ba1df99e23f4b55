FROM python:3.13-slim
RUN pip3 install --no-cache-dir flask
RUN pip3.11 install --no-cache-dir flask
RUN python -m pip install --no-cache-dir flask
RUN python3.13 -u -m pip --quiet install --no-cache-dir flask
RUN /venv/bin/pip --disable-pip-version-check install --no-cache-dir -U pip
RUN sudo -H pip install --no-cache-dir flask
RUN pip wheel --no-cache-dir -w /wheels -r requirements.txt && pip download --no-cache-dir flask
