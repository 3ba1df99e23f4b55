FROM python:3.13
ENV PYTHONUNBUFFERED=1 PIP_DEFAULT_TIMEOUT=100
RUN pip install --upgrade pip
RUN pip install -r requirements.txt
RUN pip install --no-cache-dir flask==3.0 "requests>=2" && rm -rf /root/.cache
RUN python -m venv /opt/venv && . /opt/venv/bin/activate && pip install wheel
RUN npm install -g yarn@1.22 && npm cache clean --force
RUN npm ci && npm run build
RUN yarn install --frozen-lockfile && yarn cache clean
RUN go mod download
RUN CGO_ENABLED=0 go build -o /usr/local/bin/server ./cmd/server
RUN gem install bundler && bundle install --jobs 4
RUN composer install --no-dev --prefer-dist && composer clear-cache
RUN conda install -y numpy && conda clean -afy
RUN poetry config virtualenvs.create false && poetry install --no-root
RUN cargo build --release && cp target/release/app /usr/local/bin/
RUN mvn -q -B package && cp target/app.jar /app.jar
